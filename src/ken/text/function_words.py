"""Words that a language uses in most sentences: articles, pronouns, prepositions, forms of to be. They tell languages apart.

Keys are ISO 639-1 codes. Languages that share a script are here; the others are told by their script alone.
"""

from __future__ import annotations

FUNCTION_WORDS: dict[str, str] = {
    "en": """the of and to in is that for it as was with be on not he by are this at from or have an they which one you were
    their all there been has when who will more if no out so what about than them can would other into its your our we
    should must may how do does""",
    "de": """der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass
    sie nach wird bei einer um am sind noch wie einem über einen so zum kann oder nur sein ich wenn zur durch können ihre
    wir haben vor unter muss müssen sollte diese dieser""",
    "fr": """de la le et les des en un du une que est pour qui dans par plus pas au sur ne se ce il sont avec son ou aux mais
    comme nous vous cette ces être à leur elle tout peut fait sans été votre était même si entre doit avez je ont y d l qu n""",
    "es": """de la que el en y a los se del las un por con una su para es al lo como más o pero sus le ha no si sin sobre este
    entre cuando todo esta ser son dos también fue había era muy años hasta desde está nos puede debe usted donde qué sólo""",
    "pt": """de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito
    nos já eu também só pelo pela até isso ela entre depois sem mesmo aos seus quem nas esse está você são foi pode deve ser
    tem""",
    "it": """di e il che la in a per un è del non una con si da i le della sono dei al alla come nel più anche gli ha delle lo ma se
    nella su questo o dal essere loro questa ci deve può dalla degli quando suo tutti ogni cui stato ai chi mi l dell un'""",
    "nl": """de van het een en in is dat op te zijn met voor niet aan er om als dan maar ook bij of uit nog worden door naar heeft hij
    ze wordt kan dit die je tot over deze moet hebben meer wel geen zich u uw kunnen zij onder wat werd al""",
    "af": """die van en in het is dat te nie om vir op met wat aan sy as by hy nie ook is deur word moet jy ons hulle kan sal uit
    hierdie daar maar was of na my nog so baie moet jou gebruik geen""",
    "gl": """de a o que e do da en un para con non unha os no se na por máis as dos como mais ao el das á seu súa ou cando moi nos
    xa eu tamén só polo pola até iso ela entre despois sen mesmo ten foi pode debe ser esta este unhas""",
    "sv": """och i att det som en på är av för med den till inte om ett han men var jag sig från vi så kan när år under också efter
    eller nu sin där mot ska skulle har hade vid du alla de dem din detta måste eftersom någon""",
    "da": """og i at det er en til på som for med den af de ikke der et har han var men jeg sig fra vi så kan når også efter eller nu
    sin hvor mod skal ville havde ved du alle dem din dette blev være hvis hun os meget nogen må ud ind
    bliver bruger gør hvad hvordan kun mere flere uden noget andre være dig mig jeres af""",
    "no": """og i det er på som en til av for at med de han den ikke har var et fra men jeg seg om vi så kan når også etter eller nå
    sin hvor mot skal ville hadde ved du alle dem din dette ble være hvis hun oss mye noen må bare blir ut inn
    bruker gjør hva hvordan kun mer flere uten noe andre være deg meg dere""",
    "fi": """ja on ei että se oli hän ovat mutta tai kun niin kuin sen myös joka ole en jos minä mitä vain tämä ne voi nyt mukaan
    sekä jotka olla olisi jo vielä ollut siitä tämän kanssa sitä jonka pitää kaikki joita he me jossa eivät""",
    "hu": """a az és hogy nem is egy ez meg csak de ha van volt vagy már mint még ezt azt el ki kell minden lehet után sem amely ami
    aki olyan majd több között lesz azonban pedig szerint én mert kerül által során ezek""",
    "pl": """w i na z się nie do to że jest o jak po od za przez ale dla są co tym który oraz być która przy tego czy może które jego
    jej tak już był ma lub tylko jako należy można został będzie ich pod przed""",
    "cs": """a v se na je že to s z do i o ve jako k za by pro si od jsou po které který ale při jeho tak nebo až jen byl již před
    jsem co aby také však může když není být bude která nebyl musí mezi ze ke""",
    "sk": """a v sa na je že to s z do i o vo ako k za by pre si od sú po ktoré ktorý ale pri jeho tak alebo až len bol už pred som čo
    aby tiež však môže keď nie byť bude ktorá musí medzi zo ku nebol""",
    "sl": """in v je na da se za z so ki ne pa s tudi kot po o bi pri ali če od do je bil kako ni lahko te ta biti samo bilo še sem
    ker njegov tega ima iz ter med pred nad morajo""",
    "hr": """i u je na da se za su od s ne iz o kao što koji ili a to bi ako nije koja po koje samo biti više može prema kako ima
    bio će te sam nakon do kod tijekom jer gdje tko također treba između""",
    "ro": """de și în a la cu care nu o pe din că un să sau este pentru mai au se prin al sunt ale lui ce fi fost după dar ca
    poate trebuie fără dacă către între acest această cel cele sale fie fiind unei unui""",
    "ca": """de la i que el a en les per del un una els amb és no al es dels com més o però seva va són ha aquest també si seu
    entre quan fins ser aquesta tot d l pel pels han sobre sense cal ens on està""",
    "eu": """eta da ez bat du hau zen ere baina dira den egin dute izan edo egiten oso bere dela behar zuen duen dago hori horrek
    gure beste baino ziren arte batean daude nola bezala zituen guztiak izango bai""",
    "ga": """an agus na ar i is a go ag le sé sin do tá bhí ní as ach chun mar siad sí gach féin leis seo faoi nó raibh aon atá
    nach ina iad idir trí den bhfuil chuig ón""",
    "et": """ja on ei et see oli ka ta kui mis aga või oma siis mida ning ning nii selle seda olema mitte kes ole veel välja üle
    kuid pärast kas ainult peab tema juba saab nende meie sest""",
    "lv": """un ir ar no uz par ka tas ne kas kā arī vai to bet pie pēc lai tā jau var būt bija tiek viņš šis līdz tikai kur ja
    savu nav jūs vairāk visi pirms""",
    "lt": """ir į kad su yra iš tai ne o bet kaip už jo ar dėl apie buvo po ant tik jau arba gali būti jų nuo iki kuris taip pat jos
    šis mes jei turi kai prie per bus prieš""",
    "tr": """ve bir bu da de için ile olarak çok daha en gibi olan ne kadar sonra var değil ama ya veya her o ise olduğu tarafından
    ben şey kendi mi iki önce bütün olur gerekir ancak hem eğer diye göre""",
    "id": """yang dan di dengan untuk dari ini itu dalam tidak pada adalah ke akan atau oleh juga ada dapat sebagai telah karena
    mereka tersebut saya kami anda bisa lebih lain kita sudah harus jika saat hanya tetapi secara""",
    "vi": """và của là có trong được cho không các một những với này người để khi đã đến từ cũng tại vào sẽ như về bạn phải nhưng
    hoặc trên thì đó theo nếu ra sau""",
    "eo": """la de kaj en al estas ne ke por kun li mi ĝi kiu sed el tio pri aŭ ili ŝi kiel per plej tiu sur ankaŭ se vi kiuj
    dum ĉiuj ĉi povas estis oni nur inter post""",
    "sw": """ya na wa kwa katika ni za la kuwa hii huo kama au si ambao lakini yake wake hiyo watu pia hivyo baada yao kila sana
    kutoka hadi lazima""",
    "ru": """и в не на что с по это как он а к но из у за от то для так о его же был или все бы быть при она если уже их мы вы
    только когда также может этого после нет есть должны ещё который до""",
    "uk": """і в не на що з та до як у за від це для по його є або при але також який про бути вони він ми ви якщо було через
    може після коли які так має цього її щоб ще""",
    "be": """і ў не на што з да як у за ад гэта для па яго ёсць або пры але таксама які аб быць яны ён мы вы калі было праз можа
    пасля яе каб яшчэ гэтага""",
    "bg": """и в на да не се за от е с че са по като към при но или това до си който ще той които може беше само бъде след ако
    този след всички тя ние вие трябва обаче още""",
    "sr": """и у је на да се за су од с не из о као што који или а то би ако није која по које само бити може према како има био
    ће сам након до код где ко такође треба између""",
    "mk": """и во на да се за од е со не што го ги како или но по ќе беше сите до тоа овој која кој може само бил ако има при
    меѓу треба исто така""",
    "ar": """في من على أن إلى التي عن هذا هذه الذي كان ما لا أو مع بعد كل قد بين إذا ذلك كما لم هو هي عند يجب يمكن وقد وفي حتى
    تم أي ثم لكن""",
    "fa": """و در به از که این را با است برای آن یک خود تا بر هم نیز کرد بود شود شده می یا اما باید هر کند باشد ما آنها اگر
    دارد بین های""",
    "ur": """کے کی میں ہے اور سے کا کو اس نے پر کہ ہیں یہ بھی ایک نہیں تھا وہ کر ہو کیا تھے لیے گیا جو ہم آپ یا تو جا کسی""",
    "hi": """के में की है और से का को पर यह हैं कि ने एक भी नहीं था इस तो ही कर या लिए हो जो अपने साथ गया आप करने वह तक कोई होता
    चाहिए""",
    "ne": """को मा र छ पनि हो यो लाई छन् गर्न भने ले एक गरेको भएको हुन् तर वा यस थियो त्यो गरी उनले नेपाल छैन भन्ने गर्ने पर्छ""",
    "mr": """आणि आहे या च्या व हे ते मध्ये ही तो की नाही होते आहेत करून एक असे होता किंवा साठी पण केले तर त्या झाली""",
    "yi": """די און אין פון צו דער איז פֿון דאָס אַז האָט מיט אויף ניט וואָס נישט ווי זיך פאַר אַ אָן דעם איך ער""",
    "he": """של את על לא עם הוא זה כי או גם היא אל כל אם יש היה אני אבל רק מה בין לפני יותר אשר זו הם""",
}
