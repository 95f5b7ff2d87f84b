"""Names by the hundred: none gets a wrong owner, and nearly every plain one the right."""

from __future__ import annotations

import csv
from pathlib import Path

from crypto_assets.resources.market_data.names import Evidence, owner_of, read_key, read_name
from crypto_assets.spark.market_data import coins as coins_module
from crypto_assets.spark.market_data.coins import Coins, terms_of

# ruff: noqa: RUF001 - names in other scripts

# ticker -> names and search terms that plainly are its own
PLAIN = {
    "BTC": "bitcoin.csv|Bitcoin price|BTC-USD.csv|btc_eur|BTCUSDT_1d.csv|btc-usd-max (3).csv|"
    "BitcoinHistoricalData|my bitcoin prices (final) copy.csv|bitcoin to usd|XBTEUR_1440.csv|"
    "Bitcoin - US Dollar.csv|BTC_USD Bitstamp Historical Data_daily.csv|bitcoin_2024-01-01_to_now|"
    "Bitcoin News|2023BTC|BTC1.csv|coin_Bitcoin.csv|bitcoin: (Worldwide)|Storico Bitcoin 2023|"
    "prezzo bitcoin|Bitcoin Historische Daten|Kurs Bitcoin Januar 2022|cours du bitcoin|"
    "preço do bitcoin|bitcoin fiyat|kurs bitcoina|биткоин курс|цена биткоина|"
    "比特币价格|비트코인 시세|ビットコイン 価格|سعر بيتكوين|ราคา บิตคอยน์|"
    "bitcoinprice.csv|bit coin|BITCOIN PRICES|BTC/USDT|"
    "Bitstamp_BTCUSD_2023_minute.csv|BITFINEX_BTCUSD, 1D_7bc21.csv|BTC-USD (1).csv|BTCUSD=X|"
    "bitcoin_daily_clean_v2.csv|Download Data - Bitcoin.csv|XXBTZUSD|Bitcoin_USD_2019Q1",
    "ETH": "ethereum|Ethereum Price History.csv|eth-usd-max.csv|ETHUSDT|ETH_BTC|ether price|"
    "Ethereum_Binance_Datos históricos|ETH-EUR.csv|以太坊 历史数据|эфириум|이더리움 가격",
    "LTC": "litecoin|LTC_USD Kraken Historical Data.csv|Litecoin (2).csv|lite coin price|ltcusd",
    "BCH": "bitcoin cash|Bitcoin_Cash_Historical_Data|bch-usd-max|BitcoinCash.csv|BCHUSDT|"
    "比特币现金",
    "BSV": "bitcoin sv|BSV-USD|Bitcoin SV Historical Data - Investing.com.csv|BitcoinSV",
    "BTG": "bitcoin gold|Bitcoin Gold price|btg-usd-max.csv|BTG_USD Bitfinex Historical Data",
    "BTCP": "Bitcoin Private Historical Data.csv|BTCP-USD",
    "BCD": "bitcoin diamond|BCD_USDT",
    "WBTC": "wrapped bitcoin|Wrapped-Bitcoin.csv|wbtc-usd-max.csv|WBTCUSD|wBTC prices",
    "CBBTC": "cbBTC|coinbase wrapped btc",
    "WETH": "Wrapped Ether|weth-usd-max.csv|wrapped ethereum",
    "STETH": "Lido Staked Ether|stETH.csv|steth-usd-max",
    "ETC": "ethereum classic|Ethereum Classic Historical Data.csv|ETC-USD.csv|etc-usd-max|ETC.csv",
    "ETHW": "EthereumPoW price|ETHW-USD",
    "XMR": "monero|XMR_EUR|XMRUSD_1440.csv|Monero-2021|xmr-eur-max|монеро цена",
    "XRP": "ripple|XRP Historical Data|XRP-USD.csv|ripple price|xrpusdt|ripple-usd-max.csv|리플",
    "ADA": "cardano|ADA-EUR|Cardano_coinmarketcap_2024.csv",
    "SOL": "solana price|SOL-USD.csv|solusdt|Solana Dados Históricos",
    "DOGE": "dogecoin|Doge-USD|DogeCoin price|DOGEUSDT|dogecoin to usd|doge coin",
    "BABYDOGE": "Baby Doge Coin|baby doge|babydoge-usd-max.csv",
    "SHIB": "shiba inu|Shiba Inu Historical Data.csv|SHIB-USD|shib price",
    "FLOKI": "Floki Inu|FLOKI-USD.csv",
    "USDT": "tether|USDT-EUR|usdt-usd|Tether price",
    "XAUT": "tether gold|Tether Gold Historical Data|xaut-usd-max.csv|TetherGold",
    "PAXG": "PAX Gold|paxg-usd-max.csv",
    "USDC": "usd coin|USDC-USD|USDCoin.csv|USDCUSDT",
    "USDCE": "USDC.e price|Bridged USDC",
    "BUSD": "Binance USD Historical Data|BUSD-USD.csv",
    "BNB": "binance coin|BNB-USD|Binance Coin Historical Data.csv|BNBUSDT|BNB_BTC",
    "LUNC": "terra classic|Luna Classic price|LUNC-USD.csv|Terra Luna Classic.csv",
    "LUNA": "Terra Historical Data|LUNA-USD|luna_usd|terra-luna-2",
    "UST": "UST-USD.csv|UST.csv",
    "MATIC": "polygon|MATIC-USD|matic network|Polygon Historical Data.csv",
    "POL": "POL-USD.csv|polygon ecosystem token",
    "DOT": "polkadot|DOT-USD|DOTUSDT|dot-usd-max.csv|Polkadot_2023",
    "LINK": "chainlink|LINK.csv|LINK-USD|LINKUSDT|link-usd-max.csv|LINK price|chain link|link coin|"
    "Link Historical Data.csv",
    "DASH": "DASH.csv|DASH_USD Binance Historical Data.csv|dash-usd-max|dash coin|Dash Crypto.csv|"
    "Dados Históricos - Dash",
    "NEAR": "near protocol|NEAR-USD|near-usd-max.csv|NEAR.csv|NEAR Protocol Historical Data",
    "ONE": "ONE-USD.csv|harmony one|ONEUSDT",
    "GAS": "GAS_USDT|GAS.csv|neogas",
    "HOT": "holochain|HOT_USDT|HOTUSDT|hot-usd-max.csv",
    "SAND": "the sandbox|SAND-USD.csv|SANDUSDT|sand-usd-max",
    "FLOW": "FLOW-USD|flow coin",
    "MASK": "mask network|MASKUSDT|MASK-USD",
    "KEY": "selfkey|KEY_USDT",
    "FUN": "funtoken|FUN-USD",
    "WIN": "winklink|WIN_USDT",
    "APE": "apecoin|APE-USD.csv|ape coin",
    "WAVES": "WAVES-USD|Waves Historical Data|WAVES.csv",
    "ATOM": "cosmos|ATOM-USD|Cosmos Historical Data|cosmos hub price",
    "AVAX": "avalanche|AVAX-USD.csv|avaxusdt|Avalanche Historical Data",
    "XLM": "stellar|stellar lumens price|XLM_EUR|Stellar Historical Data",
    "TRX": "tron|TRX-USD|TRON price|trxusdt",
    "EOS": "eos|EOS-USD.csv|EOS_USD Bitfinex Historical Data",
    "NEO": "neo|NEO-USD.csv|antshares",
    "IOTA": "iota|MIOTA|IOTA_USD Bitfinex Historical Data",
    "XTZ": "tezos|XTZ-USD|tezos historical data",
    "ZEC": "zcash|ZEC_USD|zecusd",
    "ZEN": "horizen|zencash|ZEN-USD",
    "XEM": "nem|XEM-USD",
    "VET": "vechain|VET-USD.csv|vetusdt",
    "FIL": "filecoin|FIL-USD|file coin",
    "UNI": "uniswap|UNI7083-USD.csv|UNIUSDT|uni-usd-max",
    "AAVE": "aave|AAVE-USD|aave price",
    "MKR": "makerdao|MKR-USD|Maker Historical Data",
    "COMP": "COMP5692-USD.csv|Compound Historical Data",
    "CAKE": "CAKE-USD|pancakeswap|cake_usdt|CAKEUSDT",
    "HBAR": "HBAR_USDT|hedera|hedera hashgraph price",
    "ICP": "internet computer|ICP-USD|internet computer price",
    "APT": "aptos|APT21794-USD.csv",
    "ARB": "arbitrum|ARB-USD",
    "OP": "OP-USD.csv|op_usdt|OPUSDT",
    "SUI": "sui|SUI20947-USD|sui-usd-max.csv",
    "TON": "toncoin|TON11419-USD|TON_USDT",
    "INJ": "injective|INJ-USD|injective protocol",
    "RENDER": "render token|RENDER-USD",
    "RNDR": "RNDR-USD.csv|rndr-usd-max",
    "FTM": "fantom|FTM-USD.csv|FTMUSDT",
    "CRO": "cronos|CRO-USD|crypto.com coin",
    "ALGO": "algorand|ALGO-USD|ALGO.csv",
    "XNO": "XNO-USD",
    "NANO": "nano|NANO_USD|raiblocks",
    "EGLD": "elrond|multiversx|EGLD-USD",
    "KAS": "kaspa|KAS-USD.csv|kas_usdt",
    "PEPE": "pepe|PEPE24478-USD|pepe coin|PEPEUSDT",
    "BONK": "bonk|BONK-USD",
    "WIF": "dogwifhat|WIF-USD|dog wif hat",
    "CRVUSD": "crvUSD price",
    "1INCH": "1inch|1INCH-USD",
    "ZRX": "0x|ZRX-USD",
    "API3": "API3-USD|api3",
    "BTC2": "BTC2-USD.csv",
    "1000PEPE": "1000PEPEUSDT.csv",
    "QZX": "QZX-USD.csv|QZX_USDT Historical Data|QZXUSDT|qzx-usd-max.csv|QZX/EUR",
    "WXY9": "WXY9-USD.csv|WXY9USDT",
}

# names that are nobody's: of other things than a coin, or not certain
NOBODY = (
    # more than a coin's name: futures, funds, products, measures, forks nobody listed
    "Bitcoin Futures CME Historical Data.csv|Datos históricos Futuros Bitcoin CME|比特币期货|"
    "Grayscale Bitcoin Trust|bitcoin etf|ProShares Bitcoin Strategy ETF.csv|BTC-PERP.csv|"
    "BTCUSDT_PERP.csv|BTC-USD-SWAP|BTCUSDT.P|BTC.D|CRYPTOCAP_BTC.D, 1D.csv|bitcoin dominance|"
    "bitcoin market cap.csv|BTC volume|bitcoin hash rate|bitcoin hashrate.csv|Bitcoin supply|"
    "bitcoin transactions|bitcoin difficulty|bitcoin price prediction|bitcoin forecast.csv|"
    "btc returns|ETH gas fees|ethereum gas price|bitcoin mining|buy bitcoin|how to buy bitcoin|"
    "bitcoin crash|bitcoin halving|bitcoin wallet|bitcoin atm|bitcoin pizza|bitcoin scam|"
    "bitcoin rainbow.csv|Bitcoin Platinum|bitcoin silver|Bitcoin Ultimate|bitcoin pro price|"
    "wrapped litecoin|wrapped dogecoin|staked ether|staked ethereum|staked solana price|"
    "bridged bitcoin|Bridged Ether|bridged dai|baby bitcoin|Baby Shiba Inu|baby cardano|"
    "Ethereum Gold|ethereum classic trust|ethereum staking|Ethereum 3x.csv|BTC3L|"
    "ETH3S|BTC 3x long|bitcoin bull 2x|Litecoin Gold|Monero Gold|dash cam|dash cams|dash diet|"
    "Dogecoin Killer|Doge Father|Doge Meme|shiba inu dog|shiba inu puppies for sale|Shiba Floki|"
    "cardano starter|Polkadot bridge|solana beach|solana name service|cosmos hotel|terra nova|"
    "Terra Station|luna lovegood|luna park|stellar blade|tron legacy|tron movie|avalanche safety|"
    "ripple effect|ripple labs|Ripple lawsuit|chainlink fence|polygon shape|pepe reina|"
    "tether ball|neo matrix|eos lip balm|nano technology|monero mining|zcash shielded|"
    "bitcoin fear and greed|BTC ETH correlation|binance smart chain bitcoin|ada lovelace|"
    "ADA compliance|dot product|uni bremen|vet clinic|sol de janeiro|atom bomb|ton of bricks|"
    "link in bio|sandbox games|ape index|BTCDOM|ETHBULL|WBTC.e"
    # words of every day, things with a price, stocks, people, places
    "|hot summer data|gas|gas price|gas prices 2023.csv|GAS PRICES|natural gas|Natural Gas Data|"
    "Natural Gas Futures.csv|near me|near|near price|one|one.csv|one usd to inr|day one|"
    "sand|sand price|link|link.csv|links|flow|flow data|cash flow|mask|mask prices|n95 mask|key|"
    "key data.csv|fun|fun facts|win|winner|time|core|core data|sun|moon|ice|magic|people|super|"
    "power|move|not|usual prices|harmony|harmony day|maker|compound interest|status|request|icon|"
    "waves|optimism|render|curve|the wave|rose|oasis|venus|jupiter|sonic|trump|elon|elon musk|"
    "helium|symbol|etc|prices etc.csv|audio|game|farm|safe|salt|spell|orchid|quant|band|bond|"
    "gold|gold price|Gold Futures Historical Data.csv|gold-usd.csv|XAU_USD Historical Data.csv|"
    "XAUUSD|xau-usd|silver|XAGUSD|oil|WTI_USD|Brent|copper|EUR_USD Historical Data.csv|EURUSD|"
    "GBP_JPY|EURUSDT|EUR_USDT|USD_JPY|usd inr|us dollar index|DXY|SPX_USD|S&P 500|sp500|"
    "NASDAQ 100|dow jones|VIX|apple stock|AAPL|AAPL Historical Data.csv|tesla|TSLA.csv|NVDA|"
    "microsoft stock|MSFT|amazon|AMZN Historical Data|GOOG|meta stock|netflix|MSTR|HOOD|RIOT|"
    "MARA|GBTC|BITO.csv|coinbase|coinbase stock|Coinbase Global Historical Data|airbnb|industry|"
    "country|poetry|wintry|polars|together|beneath|dashboard|linked|nearly|unify|adapter|solar|"
    "taylor swift|elvis|satoshi nakamoto|vitalik buterin|cristiano ronaldo|Allianz|pizza|"
    "pi network|pi coin|world cup|black friday|vpn|chatgpt|artificial intelligence|web3|"
    "metaverse|inflation|recession|stock market|mortgage rates|weather|covid|netflix stock price"
    # noise
    "|multiTimeline.csv|multiTimeline (3).csv|time_series_US_20240101-0000_20240301-0000.csv|"
    "Downloads|prices 2024|prices|data.csv|history.csv|export (1).csv|download|crypto|"
    "cryptocurrency|crypto prices.csv|coins|token|usd|usd-max.csv|eur usd|my crypto data|New|"
    "2024-01-01.csv|1d|daily.csv|chart.csv|chart (2).csv|file.csv|Historical Data.csv|"
    "Dati storici.csv|Datos históricos|历史数据.csv|Прошлые данные|past data|coingecko|"
    "coinmarketcap_export|binance|kraken_2023|yahoo finance|Investing.com|investing historical|"
    "google trends|google_trends.csv|interest over time|untitled|Book1.xlsx|Sheet1.csv|a.csv|"
    "x.csv|123|_|---|$|()|📈|未知.csv|数据 2023|t.csv|final final.csv|test|results"
    # nearly, or alike to the eye only
    "|Etherium|etherium price|Bitcon|bitcoln|Bitcion.csv|litecion|Litcoin|cardanno|Cardono|"
    "dogcoin|Dogecion|polkadott|Solanna|rippel|Monerro|Chianlink|stelar|avalanch|uniswop|"
    "bitсoin|ВТС|вtc|ßTC|sól|ſol|sôl|maná|uní|gás|Bitcóin|BİTCOİN|bıtcoin|ℬTC|₿|ﬁl|℡"
    # a pair the other way round, or two coins
    "|BTC_ETH|USDT_BTC|USDT-ETH|BTC/BNB|USDTBTC|BTCETH|btc vs eth.csv|bitcoin and ethereum|"
    "bitcoin ethereum ripple|BTC ETH XRP prices|ada and sol|CRVUSD|ARBUSD|terra luna|"
    "terra-luna-usd-max.csv|ankrETH|tBTCUSD"
)

# of a ticker and a name
FORMS = (
    *("{ticker}-USD.csv", "{ticker}_USD Binance Historical Data.csv", "{small}-usd-max (1).csv"),
    *("{ticker}.csv", "{ticker}USDT_1h_2023", "{name} coin price", "{name} Historical Data.csv"),
)
# Words that make another coin, or no coin at all, of a coin's name.
NAMESAKES = ("gold", "classic", "wrapped", "trust")


def _owner(name: str) -> str | None:
    """The owner of a trend with this search term, which a file of this name has as well."""
    coins = Coins()
    owner = owner_of(read_name(name, coins), Evidence()).ticker
    assert "/" in name or owner_of(Evidence(), read_key(name, coins)).ticker == owner
    return owner


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split("|")]


def _tickers() -> list[str]:
    table = Path(coins_module.__file__).with_name("coins.csv").read_text("utf-8")
    return [row["ticker"] for row in csv.DictReader(table.splitlines())]


def _report(asked: int, wrong: list[tuple[str, str | None]], missed: list[str]) -> None:
    share = 1 - len(missed) / asked
    print(f"\n{asked} plain names: {len(wrong)} wrong owners, {share:.1%} found")  # noqa: T201
    assert not wrong
    assert share >= 0.95, missed


def test_plain_names_are_found_and_nothing_else_has_an_owner():
    plain = {(name, ticker) for ticker, names in PLAIN.items() for name in _split(names)}
    found = {(name, _owner(name)) for name, _ in plain}
    others = {(name, _owner(name)) for name in _split(NOBODY)}
    print(f"\n{len(others)} names of other things")  # noqa: T201
    assert len(plain) + len(others) >= 700
    wrong = [(name, owner) for name, owner in (found - plain) | others if owner]
    _report(len(plain), wrong, [name for name, owner in found if not owner])


def test_every_coin_of_the_table_is_found_in_the_usual_names():
    plain = set()
    for ticker in _tickers():
        name = terms_of(ticker)[:2][-1].title()
        parts = {"ticker": ticker, "small": ticker.lower(), "name": name}
        plain |= {(form.format(**parts), ticker) for form in FORMS}
    found = {(name, _owner(name)) for name, _ in plain}
    wrong = [(name, owner) for name, owner in found - plain if owner]
    _report(len(plain), wrong, [name for name, owner in found if not owner])


def test_a_coins_name_with_a_namesakes_word_is_a_namesakes_or_nobodys():
    for name in {name for ticker in _tickers() for name in terms_of(ticker)}:
        for word in NAMESAKES:
            owner = owner_of(read_name(f"{word} {name} price", Coins()), Evidence()).ticker
            assert owner is None or any(word in own for own in terms_of(owner)), (word, name)
