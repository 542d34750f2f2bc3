# ruff: noqa: E501 - patterns and word lists read best unbroken
"""Groups of words that mean the same wish; each group is one feature of a sentence."""

import re

_GROUPS = {
    "put_in": r"add|put|include|throw in|take|get me|give me|i'll (?:take|have)|choose|pick|go with|have the",
    "take_out": r"remove|delete|drop|take (?:\w+ ){0,3}out|take off|get rid|discard|kick out|don't (?:want|need)|can go|throw out",
    "buy": r"buy|order (?:it|them|now|everything|the cart)|purchase|checkout|place|submit|proceed|confirm the",
    "more_or_less": r"make (?:it|that)|change|set|update|increase|decrease|reduce|bump|double|lower|instead|quantity|number of|one more|one less",
    "empty": r"empty|clear|wipe|reset|everything|all items",
    "cart": r"cart|basket",
    "my_order": r"my (?:\w+ )?order|my (?:\w+ )?package|my delivery|my purchase|the order|order 0?",
    "orders": r"orders|ordered|purchases|history|bought|did i buy",
    "where": r"where|when|status|track\w*|arriv\w*|shipped|delivered|update|late|reached",
    "cancel": r"cancel\w*|undo|revoke|abort|call off|stop my|do not ship",
    "pay": r"pay|payment|paid|paying",
    "send_back": r"return\w*|send (?:it )?back|take back|damaged|broken|defective|wrong (?:product|item)|exchange|doesn't fit",
    "rules": r"policy|how long|how many days|free delivery|charges|accept|refunds?|emi|instalments|warranty|do you (?:deliver|ship|take|accept)|fee|available",
    "address": r"address|addresses|deliver (?:to|it to)|ship it to|home|office",
    "like_it": r"similar|like (?:this|it|that|the|these)|alternatives?|resembl\w*|comparable|lookalikes|same kind|other \w+ like|goes? with",
    "versus": r"compare|comparison|versus|vs|difference|different between|better|which (?:one|of|has)|should i take|or the",
    "about_it": r"details?|about|specs|describe|description|info\w*|made of|material|sizes?|colours? (?:does|is)|how much is (?:the|it|this)|in stock|warranty|who sells|how many are left|does it|is it|open",
    "opinion": r"reviews?|people say|buyers|opinions?|ratings of|complaints|what did others|any good",
    "total": r"total|how much (?:will|do|is it|is everything|for all|is shipping)|bill|quote|final|grand|breakup|sum|calculate|cost with|shipping for|charges on",
    "advice": r"recommend\w*|suggest\w*|popular|trending|bestsell\w*|surprise|ideas|picks|what should i|hot|what buy",
    "remember": r"remember|my (?:usual |shoe )?size is|i (?:wear|prefer|like|always|take a)|favourite|my budget|note that|keep in mind|save my|forget my|set (?:my|size)|from now on",
    "my_taste": r"my (?:saved )?preferences|know about me|do you remember|have you (?:remembered|stored)|my taste|saved size|have for me",
    "shop": r"my (?:shop|store|products|listings|turnover|sales|inventory|stock|best selling)|customers?|seller|sold|sell|sells|selling|revenue|earn\w*|units|inventory|low on stock|restock|reorder|dispatch|unshipped|average order value|to ship|need to ship",
    "period": r"today|yesterday|(?:this|last) (?:week|month|quarter|year)|last 0+ days|days",
    "wish": r"looking for|searching|i (?:want|need|would like)|show me|find|do you (?:have|sell)|buy me|get me|something (?:for|to)|want",
    "narrower": r"only|just|cheaper|without|other|more options|under|sort|first|filter|what about|how about|in §|same|any|ones",
    "person": r"human|person|agent|representative|customer care|customer service|support|manager|someone|somebody|complain\w*|escalate",
    "who_are_you": r"who are you|are you|what can you|how (?:do i use|does this|can you)|help|what are you|which model|features|commands",
    "hello": r"hi|hello|hey|morning|evening|afternoon|namaste|how are you|howdy|greetings",
    "thanks": r"thanks?|thank you|cheers|appreciated|bye|goodbye|helpful|that's all|nice day|night",
    "yes": r"yes|sure|ok|okay|yep|yeah|go ahead|right|correct|alright|absolutely|sounds good|of course",
    "no": r"no|nope|never mind|not now|leave it|stop|skip|forget it|let it be",
    "elsewhere": r"weather|joke|match|poem|song|sing|capital|flight|movie|politics|story|news|code|election|translate|time is it|homework|call my|sad|bored|recipe|taxi|prime minister|instructions|lights|equation|old are you",
    "haggle": r"discount|coupon|promo|voucher|code|off|deals?|offers?|percent|%|last price|best price|half|free|cashback|lower the price|why (?:is|so|are|do)|so (?:costly|pricey|much|expensive)|how come|for 0+|0+ rupees?|rupees?|charge me|less|bhav|price to",
    "go_back": r"undo|revert|reverse|take (?:that|it) back|go back|put it back|oops|mistake|did not mean|roll|restore|ulta|back",
    "not_yours": r"paid|approve|approval|without (?:asking|paying)|other (?:people|buyers?|user)\w*|another user\w*|everybody|somebody|admin|status to|that customer|of user|buyer\w*|rights|stock (?:to|of)|seller's",
    "machine": r"prompt|instructions?|rules|system|ignore|disregard|forget all|developer|mode|password|keys?|database|restrictions?|pretend|act as|admin|override|command|execute|jailbreak|dump|export|emails?",
    "question": r"what|which|how|where|when|who|is|does|do|can|\?",
}
_PATTERNS = {name: re.compile(rf"(?<![\w']){'(?:' + words + ')'}(?![\w'])") for name, words in _GROUPS.items()}


def concepts(text: str) -> list[str]:
    return [name for name, pattern in _PATTERNS.items() if pattern.search(text)]
