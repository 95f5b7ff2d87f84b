"""The words beside a coin's in a name that say nothing of whose a file is.

Data only. Belongs here: quote currencies, sites and exchanges, the titles sites give a download,
fillers per language. Does not: coins (coins.csv); headers and months, which the reader has.
"""

# ruff: noqa: RUF001 - letters of other languages are what this file is about

# What prices are stated in, the more usual first: of two that are neighbours the later one is the
# base (`USDC_USDT`), and a pair the other way round (`BTC_ETH`) is not certain.
FIAT = (
    "usd eur gbp jpy inr brl try krw cny cnh aud cad chf rub idr mxn zar pln hkd sgd twd thb "
    "vnd php myr ngn uah aed sar ils ars clp cop pen czk huf ron bgn sek nok dkk isk nzd kes "
    "ghs egp pkr bdt lkr kwd qar gel kzt xau xag"
)
STABLE = "usdt usdc busd fdusd tusd dai usdp usdd usde pyusd gusd ust eurt eurs eurc"
COIN_QUOTES = "btc xbt eth weth bnb wbnb"
# Those that end a pair written in one word, such as `xmrusdt`. Others would end plain words.
JOINED = "usd usdt usdc busd fdusd tusd eur gbp jpy inr brl try krw aud cad chf btc xbt eth bnb"
# Of these also a base nobody knows is taken: no plain word ends so.
JOINED_TO_ANY = "usd usdt usdc busd fdusd tusd"
# What is no coin's ticker before a quote currency: metals, indices, measures, kinds of a coin.
NO_BASES = (
    "gold silver oil brent wti copper platinum palladium gas natgas spx spy sp500 ndx nasdaq "
    "nas100 us30 us500 dji dow dxy vix xpt xpd etf tvl mcap cap vol avg sum nav total wrapped "
    "staked restaked bridged liquid baby mini micro super anti cash classic private diamond "
    "platin green pro plus lite long short bull bear perp futures"
)

# Exchanges and sites about coins.
SITES = (
    "investing coingecko coinmarketcap cmc cryptodatadownload cryptocompare coincap "
    "coinpaprika coindesk bpi quandl bcharts coinmetrics coincodex coinlore messari "
    "livecoinwatch cryptoslate cryptorank nomics binance binanceus kraken bitfinex bitstamp "
    "coinbase coinbasepro gdax gemini bittrex poloniex huobi htx okex okx okcoin kucoin bybit "
    "bitget gateio mexc hitbtc bithumb upbit korbit coinone bitflyer coincheck zaif quoine "
    "bitmex deribit ftx itbit cexio exmo yobit livecoin wazirx coindcx zebpay bitbay "
    "zondacrypto bitpanda bitso bitvavo mercadobitcoin foxbit novadax paribu btcturk "
    "btcmarkets coinspot indodax tokocrypto bitkub bitmart lbank phemex whitebit mtgox "
    "bitcoincharts bitcoinity blockchair etherscan cryptocurrencychart"
)
PHRASES = (
    "crypto data download|coin market cap|coin gecko|coin desk|coin base|mercado bitcoin|"
    "btc markets|btc turk|bitcoin charts|mt gox|gate io|cex io|crypto compare|coin metrics|"
    "yahoo finance|time series|search volume|search term"
)
# Behind an everyday word they make it a coin's: `dash coin`.
ABOUT_COINS = (
    "crypto cryptos cryptocurrency cryptocurrencies criptovaluta criptovalute criptomoeda "
    "criptomoedas criptomoneda criptomonedas cryptomonnaie cryptomonnaies kryptowährung "
    "kryptowährungen kryptovaluta kryptowaluta kryptowaluty kriptopara криптовалюта "
    "криптовалюты криптовалют криптовалюти coin coins token tokens altcoin altcoins "
    "blockchain 加密货币 加密貨幣 暗号資産 仮想通貨 암호화폐 가상화폐"
)
# What sites call a download, per language; an everyday word beside it is a coin's.
TITLES = {
    "en": "historical data|historic data",
    "it": "dati storici",
    "pt": "dados históricos",
    "es": "datos históricos",
    "fr": "données historiques",
    "de": "historische daten",
    "nl": "historische gegevens",
    "sv": "historiska data|historisk data",
    "da": "historiske data",
    "fi": "historiatiedot|historiallinen data",
    "ru": "прошлые данные|исторические данные",
    "uk": "минулі дані|історичні дані",
    "pl": "dane historyczne",
    "cs": "historická data|historické údaje",
    "hu": "történelmi adatok|korábbi adatok|múltbeli adatok",
    "ro": "date istorice",
    "bg": "исторически данни",
    "hr": "povijesni podaci",
    "el": "ιστορικά δεδομένα",
    "tr": "geçmiş verileri|geçmiş veriler|tarihsel veriler",
    "vi": "dữ liệu lịch sử",
    "id": "data historis",
    "zh": "历史数据|歷史數據",
    "ja": "過去データ|過去のデータ|ヒストリカルデータ|時系列データ",
    "ko": "과거 데이터|과거데이터",
    "th": "ข้อมูลในอดีต|ข้อมูลย้อนหลัง",
    "ar": "البيانات التاريخية|بيانات تاريخية",
    "he": "נתונים היסטוריים|נתונים היסטורים",
    "hi": "ऐतिहासिक डेटा",
}
# Whatever else stands around a coin's name without making it another thing.
FILLERS = {
    "files": (
        "csv tsv txt xls xlsx json gz zip com www http https org net file files export "
        "exports exported download downloads downloaded data dataset datasets database table "
        "sheet list copy final new old latest current recent update updated raw clean cleaned "
        "modified edited fixed original backup tmp temp excerpt row rows my mine ok full all "
        "part page series timeseries multitimeline report"
    ),
    "prices": (
        "price prices pricing quote quotes value values rate rates exchange ex ticker tickers "
        "currency currencies market markets stats statistics info ohlc ohlcv candle candles "
        "candlestick kline klines bar bars chart charts graph spot trading trade live history "
        "histories historic historical past hist index analysis analytics study research "
        "project average mean max maximum min eod"
    ),
    "times": (
        "year years yr yrs month months week weeks day days hour hours hr hrs minute minutes "
        "hourly daily weekly monthly yearly annual intraday today now date dates period"
    ),
    "en": "from to till until since last of the in for and or vs versus per by on at with an",
    "letters": "a b c d e f g h i j k m n o q r s t u v w y z",  # `3x`, `3l`, `.P` are products
    "trends": (
        "trend trends trending google gtrends googletrends search searches searching interest "
        "interests popularity hype score news worldwide world global unscaled scaled relative "
        "svi over us usa eu uk italia italy brasil brazil deutschland germany españa spain "
        "france india china japan russia россия türkiye turkey"
    ),
    "money": (
        "dollar dollars euro euros pound pounds yen yuan won rupee rupees real reais lira "
        "peso pesos franc ruble rubles dolar dólar dólares dollaro dollari brasileiro доллар "
        "доллара доллару доллары долларах рубль рубля рублю рублях 美元 人民币 人民幣 日元 "
        "欧元 달러 원화 米ドル 円 ドル"
    ),
    "it": (
        "dati prezzo prezzi valore storia storico storici storica giornaliero giornalieri "
        "giornaliera cambio andamento copia del della di da e il la lo dal al con per su "
        "mondo ricerca ricerche interesse interessi"
    ),
    "pt": (
        "dados preço preços valor histórico histórica históricos históricas diário diária "
        "cotação cotações cópia do dos das de em o os as até"
    ),
    "es": (
        "datos precio precios cotización cotizaciones diario diaria el los las y en hasta "
        "desde mundo búsqueda búsquedas interés"
    ),
    "fr": (
        "données prix cours cotation historique historiques quotidien journalier copie le les "
        "du des et à depuis monde recherche recherches intérêt"
    ),
    "de": (
        "daten kurs kurse preis preise wert historisch historische täglich tage tagesdaten "
        "kopie der die das von vom bis zum und im suche suchinteresse welt"
    ),
    "nl": "gegevens koers koersen prijs prijzen dagelijks van het en tot wereld kopie",
    "sv da no": "pris priser dagliga daglig och og från fra till til kopia kopi",
    "fi": "data hinta hinnat kopio",
    "pl": (
        "cena ceny kursu kursy notowania dane dzienne kopia od do i w z na wyszukiwania "
        "zainteresowanie"
    ),
    "cs hu ro": (
        "údaje denní ceník árfolyam adatok napi preț prețuri curs zilnic din și istoric istorice"
    ),
    "ru uk": (
        "цена цены курс курса котировки данные история истории график копия по за с на и в к "
        "от до дней запросы запросов поиск ціна ціни курсу дані графік копія"
    ),
    "tr": "fiyat fiyatı fiyatları veri verileri veriler günlük geçmiş grafik ve",
    "vi": "giá dữ liệu lịch sử biểu đồ của",
    "id": "harga histori harian dan dari",
    "el": "τιμή τιμές δεδομένα",
    "zh": (
        "数据 數據 历史 歷史 价格 價格 价 行情 走势 走勢 每日 日线 日線 的 和 与 年 月 日 至 "
        "到 搜索 热度 趋势 副本"
    ),
    "ja": "データ 履歴 チャート 価格 日足 相場 の と 過去 時系列 コピー",
    "ko": "가격 시세 데이터 차트 일별 일봉 과거 과 와 검색",
    "th": "ราคา ข้อมูล กราฟ",
    "ar he hi": "سعر اسعار أسعار السعر بيانات تاريخ من إلى في מחיר מחירים נתונים של कीमत डेटा",
}
