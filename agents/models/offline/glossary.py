# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Common Hinglish and typing mistakes in plain English, so that few examples teach much."""

import re

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from agents.models.offline.slots.common_words import COMMON

_WORD = re.compile(r"§?[\w']+|\?")
_SHORTEST = 6
_PHRASES = {
    "kya kya": "what all", "bare me": "about", "bare mein": "about", "kab tak": "until when", "kis cheez": "what thing",
    "dikha do": "show", "dikha dijiye": "show", "daal do": "add", "dal do": "add", "daal dena": "add", "kar do": "do",
    "kar dena": "do", "hata do": "remove", "hata dena": "remove", "nikal do": "remove", "nikal dena": "remove",
    "le lo": "take", "de do": "give", "rehne do": "leave it", "badha do": "increase", "kam kar": "reduce", "kam karo": "reduce",
    "kharid lo": "buy", "laga do": "place", "khali kar": "empty", "khali karo": "empty", "saaf kar": "clear",
    "baat karni": "talk", "baat karao": "talk", "baat karwao": "talk", "baat karwa": "talk", "yaad rakho": "remember",
    "yaad rakhna": "remember", "kab aayega": "when will arrive", "kab milega": "when will arrive", "kahan hai": "where is",
    "kaha hai": "where is", "kidhar hai": "where is", "wapas karna": "return", "wapas karni": "return",
    "wapas lo": "take back return", "paise wapas": "refund", "toota hua": "broken", "galat saman": "wrong product",
    "theek hai": "okay", "thik hai": "okay", "haan ji": "yes", "kaise ho": "how are you", "kya haal": "how are you",
    "kaun ho": "who are you", "fir se": "again", "phir se": "again", "kya lena": "what buy", "sab kuch": "everything",
    "kitne din": "how many days", "checkout": "checkout", "check out": "checkout", "side by side": "compare",
    "log kya bolte": "what do people say", "kaisa laga": "review", "jaisa": "like similar", "jaise": "like similar",
}  # fmt: skip
_WORDS = {
    "mujhe": "me", "muje": "me", "mereko": "me", "mera": "my", "meri": "my", "mere": "my", "maine": "i", "mai": "i",
    "main": "i", "hum": "we", "aap": "you", "tum": "you", "tumhe": "you", "aapke": "your", "chahiye": "want",
    "chaiye": "want", "dikhao": "show", "dikhana": "show", "dikhaiye": "show", "batao": "tell", "bataiye": "tell",
    "btao": "tell", "karo": "do", "karna": "to do", "kar": "do", "karni": "to do", "hai": "is", "hain": "are", "hua": "was",
    "kya": "what", "kitna": "how much", "kitni": "how much", "kitne": "how many", "kab": "when", "kahan": "where",
    "kaha": "where", "kaise": "how", "kaisa": "how", "kaun": "who", "kaunsa": "which", "kaunse": "which", "kaunsi": "which",
    "konsa": "which", "kyun": "why", "aur": "more", "koi": "some", "kuch": "something", "sab": "all", "sabhi": "all",
    "pura": "whole", "hatao": "remove", "hata": "remove", "nikalo": "remove", "nikal": "remove", "daalo": "add",
    "daal": "add", "dal": "add", "jodna": "add", "jodo": "add", "dalna": "add", "lelo": "take", "lena": "take", "lo": "take",
    "badlo": "change", "badalna": "change", "badal": "change", "badhao": "increase", "badha": "increase", "ghatao": "reduce",
    "saman": "goods", "samaan": "goods", "maal": "stock", "daam": "price", "dam": "price", "paise": "money",
    "paisa": "money", "rupaye": "money", "bill": "bill", "pata": "address", "pate": "address", "wapas": "return",
    "wapis": "return", "kholo": "open", "dekhna": "see", "dekho": "see", "dukaan": "shop", "dukan": "shop",
    "bikri": "sales", "becha": "sold", "bika": "sold", "bik": "sold", "kamai": "earnings", "khatam": "running out",
    "bacha": "left", "bhejna": "ship", "bhejne": "ship", "bhejo": "send", "purane": "old past", "pichle": "last",
    "pichla": "last", "naya": "new", "naye": "new", "nayi": "new", "accha": "good", "acha": "good", "achhi": "good",
    "achha": "good", "acche": "good", "sasta": "cheap", "saste": "cheap", "sasti": "cheap", "mehenga": "expensive",
    "mehnga": "expensive", "farak": "difference", "fark": "difference", "dono": "both", "isko": "it", "usko": "that",
    "ye": "this", "yeh": "this", "wo": "that", "woh": "that", "iske": "its", "iska": "its", "iski": "its", "isme": "in it",
    "inko": "them", "nahi": "not", "nahin": "not", "mat": "not", "haan": "yes", "bilkul": "sure", "shukriya": "thanks",
    "dhanyavaad": "thanks", "dhanyavad": "thanks", "namaste": "hello", "namaskar": "hello", "salaam": "hello",
    "alvida": "goodbye", "madad": "help", "insaan": "human", "aadmi": "human", "shikayat": "complaint", "pasand": "like",
    "pehenta": "wear", "pehnta": "wear", "pehenti": "wear", "rang": "colour", "aaj": "today", "kal": "yesterday",
    "hafte": "week", "hafta": "week", "mahine": "month", "mahina": "month", "saal": "year", "abhi": "now", "ab": "now",
    "jaldi": "soon", "bahut": "very", "thoda": "a bit", "zyada": "most", "jyada": "most", "kam": "less", "sabse": "the most",
    "dobara": "again", "galti": "mistake", "radd": "cancel", "karwana": "to do", "khareedna": "buy", "kharidna": "buy",
    "kharid": "buy", "milta": "available", "milegi": "available", "milega": "available", "mausam": "weather",
    "gaana": "song", "khabar": "news", "sunao": "tell", "jeeta": "won", "chhodo": "leave it", "aakhri": "last",
    "pehla": "first", "pehle": "first", "dusra": "second", "dusre": "second", "teesra": "third", "suggest": "recommend",
    "crt": "cart", "crat": "cart", "kart": "cart", "oder": "order", "ordr": "order", "ordar": "order", "oders": "orders",
    "ad": "add", "adn": "add", "hlep": "help", "halp": "help", "thnx": "thanks", "thx": "thanks", "thanku": "thanks",
    "pls": "please", "plz": "please", "u": "you", "wat": "what", "wht": "what", "shwo": "show", "sho": "show",
    "helo": "hello", "hii": "hi", "hy": "hi", "yess": "yes", "trak": "track", "trck": "track", "stok": "stock",
    "histry": "history", "basket": "cart", "bag": "cart", "parcel": "package", "qty": "quantity", "aov": "average order value",
    "purchases": "orders", "rn": "now", "tel": "tell", "wanna": "want to", "gimme": "give me", "cod": "cash on delivery",
    "totel": "total", "pement": "payment", "paymnt": "payment", "delet": "delete", "retun": "return", "shiping": "shipping",
    "frist": "first", "secnd": "second", "thrid": "third", "cheep": "cheap", "similer": "similar",
}  # fmt: skip
_SPELLED = (
    "checkout", "cancel", "cancelled", "address", "addresses", "remove", "delete", "quantity", "compare",
    "comparison", "details", "description", "similar", "order", "orders", "payment", "return", "returns",
    "policy", "refund", "delivery", "shipping", "cheaper", "expensive", "review", "reviews", "recommend",
    "recommendation", "preferences", "preference", "remember", "inventory", "revenue", "stock", "customer",
    "customers", "history", "status", "track", "tracking", "total", "amount", "price", "products", "product",
    "second", "first", "third", "available", "availability", "increase", "decrease", "reduce", "change",
    "update", "empty", "clear", "basket", "previous", "purchase", "complete", "support", "human", "complaint",
    "different", "alternatives", "information", "difference", "suggest", "popular", "trending", "account",
    "thanks", "hello", "please", "place", "budget", "newest", "sales", "selling",
)  # fmt: skip
_KNOWN = frozenset(_SPELLED) | COMMON | frozenset(_WORDS) | frozenset(_WORDS.values())
_PHRASE = re.compile(r"\b(?:" + "|".join(sorted(map(re.escape, _PHRASES), key=len, reverse=True)) + r")\b")


def plain(text: str) -> str:
    """The sentence with known Hinglish and mistyped key words in English; other words and marks stay."""
    translated = _PHRASE.sub(lambda found: _PHRASES[found.group()], text)
    return " ".join(_plain(word) for word in _WORD.findall(translated))


def _plain(word: str) -> str:
    if word in _WORDS:
        return _WORDS[word]
    if len(word) < _SHORTEST or word[0] == "§" or word in _KNOWN:
        return word
    slips = 1 if len(word) < 7 else 2
    match = process.extractOne(word, _SPELLED, scorer=DamerauLevenshtein.distance, score_cutoff=slips)
    return match[0] if match and match[0][0] == word[0] and not _inflected(word, match[0]) else word


def _inflected(word: str, known: str) -> bool:
    """`orders` and `ordered` are words of their own, not slips."""
    return word.startswith(known) or known.startswith(word)
