"""What the single words of a column's name say about it: a price, something else, or nothing.

Data only, in `lookup.plain` form. The names that sites give whole columns, per language, are in
words.py; how a name is taken apart and judged is in headings.py.
"""

from .lookup import word_set

CLOSE = word_set(
    "close closing closed chiusura cierre fechamento fecho cloture fermeture schluss "
    "schlusskurs zamkniecie zamkniecia kapanis закрытие закрытия penutupan slotkoers slutkurs "
    "sluttkurs zaras"
)
PRICE = word_set(
    "price prices pricing last rate rates prezzi precios precos preise kurse цены курс "
    "cotizacion cotacao quotazione bpi"
)
VALUE = word_set("value values val valor wert valeur valore waarde varde значение y")

# What is no price, or not the price at the end of the day.
OTHER = word_set(
    "highest lowest maximum minimum avg average mean median mid middle weighted vwap twap "
    "typical bid ask bids asks spread range pivot vol vols volumes count counts counted "
    "number num total totals sum cumulative quantity qty trades tx txs txn txns transaction "
    "transactions transfers address addresses active users user wallets holders blocks block "
    "nodes size posts tweets mentions comments likes news articles followers subscribers "
    "commits cap caps capitalization capitalisation marketcap mcap supply circulating "
    "circulation hash hashrate difficulty mining miners miner revenue cost costs reward "
    "rewards staking gas fee fees dominance liquidity tvl velocity output inflation growth "
    "funding interest oi outstanding issuance burned changes pct percent percentage ratio "
    "ratios return returns ret diff difference delta log ln ma sma ema wma macd rsi atr roc "
    "roi std stdev stddev variance volatility sharpe drawdown momentum signal signals score "
    "scores rank ranking zscore beta alpha scaled normalized normalised norm predicted "
    "prediction predictions predict pred forecast forecasted expected estimate estimated "
    "target targets label hat yhat upper lower trend trends seasonal residual fitted adj "
    "adjusted sentiment fear greed hype search searches google popularity attention gold "
    "silver oil sp spx nasdaq dow dji djia nikkei dax ftse vix dxy stock stocks bond bonds "
    "treasury etf futures electricity energy temperature"
)
OTHER_ALONE = word_set("index trade")  # but a price index and a trade price are prices
# A value of another day than the row's.
LAGGED = word_set(
    "lag lagged prev previous prior before yesterday shift shifted next following tomorrow "
    "future lead ahead ago old vortag vortages "
    "vortagesschluss vortageskurs vorheriger veille anterior precedente precedent onceki vorige "
    "poprzednie предыдущее предыдущая вчера 前收盘 前收盘价 昨收 昨收盘 前日終値 前日 전일 전일종가"
)
TIMES = word_set(
    "date dates datetime time times timestamp timestamps unix epoch ts updated update created "
    "dt datum"
)
PERIODS = word_set("data day days week weeks weekday month months year years hour hours quarter")
ROWS = word_set("id ids no nr row rows rownum key code")
# What a file may be about instead of a price, if its name says so.
NO_TRENDS = word_set(
    "cap capitalization marketcap supply hash hashrate difficulty ratio change transactions "
    "transaction tx txs txn txns growth address addresses fee fees gas revenue cost dominance "
    "volatility returns circulation"
)
SUBJECTS = NO_TRENDS | word_set(
    "volume volumes vol count counts sentiment trend trends searches interest"
)

# Words around a coin that do not make it another one.
NOISE = word_set(
    "my the a an of in on at for from per to and by is as with vs current latest market spot "
    "daily historical history hist official token tokens coin coins crypto cryptocurrency "
    "cryptocurrencies currency altcoin quote quoted exchange final end eod settle settlement "
    "fiat us united states de di do da del della der die das des du la le il el en em e o im "
    "zu von bei nach в на за по и binance bitstamp coinbase kraken bitfinex bittrex poloniex "
    "gemini huobi htx okx okex okcoin bybit kucoin gate gateio bithumb upbit korbit coinone "
    "bitflyer mtgox gox luno wazirx mercado mercadobitcoin bitso bitvavo bitpanda btcturk "
    "paribu cexio hitbtc ftx mexc yahoo finance yfinance coingecko gecko coinmarketcap cmc "
    "cryptocompare cryptodatadownload investing tradingview stooq quandl fred blockchain "
    "coindesk coinmetrics messari glassnode bnc coinpaprika etherscan kaggle"
)

# What prices are stated in: word -> currency.
FIAT = {
    **{code: code for code in word_set("usd usdt usdc busd dai eur gbp jpy cny krw inr brl aud")},
    **{code: code for code in word_set("cad chf rub pln sek nok dkk czk huf ron uah mxn zar idr")},
    **{code: code for code in word_set("thb vnd hkd sgd twd ils ars clp cop nzd try ngn php myr")},
    **dict.fromkeys(("dollar", "dollars", "$", "dolares", "dolar", "dollari"), "usd"),
    **dict.fromkeys(("euro", "euros", "€"), "eur"),
    **dict.fromkeys(("pound", "pounds", "sterling", "£"), "gbp"),
    **dict.fromkeys(("yen", "¥"), "jpy"),
    **dict.fromkeys(("rupee", "rupees", "₹"), "inr"),
    **dict.fromkeys(("won", "₩"), "krw"),
    **dict.fromkeys(("lira", "tl", "₺"), "try"),
    **dict.fromkeys(("rmb", "yuan"), "cny"),
    **dict.fromkeys(("real", "reais"), "brl"),
    **dict.fromkeys(("rubel", "ruble", "rubles", "₽"), "rub"),
}
COIN_QUOTES = word_set("btc xbt eth bnb sats satoshi")
# Quote currencies that end a word, as in `btcusdt`; other codes end words of languages.
GLUED_QUOTES = ("usdt", "usdc", "busd", "usd", "eur", "gbp", "jpy", "krw", "btc", "eth")
