"""The words that names of organisations are made of: legal forms, kinds, fields, places, and what they are in Chinese.

Data only; how names are compared is in `names` and `resemblance`. The words say something about organisations in
general, never about one of them: that two names mean the same one belongs into the other names of an entry.
After a change here `manage.py lists rekey` writes the names of all entries anew.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> dict[str, str]:
    """`a b = c`: every word on the left is written as what is on the right. A line that is indented goes on."""
    found: dict[str, str] = {}
    for line in filter(None, text.replace("\n        ", " ").split("\n")):
        left, _sign, right = line.partition("=")
        found |= dict.fromkeys(left.split(), " ".join(right.split()))
    return found


# ── what does not make a name another one ───────────────────────────────────────────────────────────────────────────

JOINING = _words("the of and")
"""Words that are left out wherever names are compared."""

JOINING_ABROAD = _words("""
    a at an for in on to de del della delle degli di do da dos das du des la le les el der die dem den und et e y i
    fur fuer zu zur van voor och ved na w v im
""")
"""Words that are left out where names are only compared for being similar."""

LEGAL_FORMS = _words("""
    ltd limited inc incorporated corp corporation co company companies llc llp lp plc pbc pllc gmbh ggmbh mbh ag kg
    kgaa ohg ug ev eg aktiengesellschaft gesellschaft se sa sas sasu sarl spa srl sl slu nv bv cv vof oy oyj ab asa as
    aps kk gk kabushiki kaisha pte pty pvt private sdn bhd berhad tbk pt ooo oao zao pao ao ооо оао зао пао ао jsc
    ojsc cjsc pjsc kft zrt nyrt doo dd sro ltda eireli group holding holdings 주식회사
""")
"""Legal forms in Latin and other alphabets, one word each, at the end of a name."""

LEADING_FORMS = _words("pt ooo oao zao pao jsc ojsc cjsc kabushiki kaisha ооо оао зао пао ао 주식회사")
"""Legal forms that also stand at the beginning; others do not: AB InBev, SE Labs and AS Roma keep their first word."""

LEADING_FORMS_HAN = tuple("株式会社 有限会社 合同会社 一般社团法人 国立研究开发法人 独立行政法人".split())  # noqa: SIM905
"""Legal forms in Chinese characters, simplified, that also stand at the beginning of a name."""

LEGAL_FORMS_HAN = (
    *"股份有限公司 有限责任公司 有限公司 股份公司 总公司 集团公司 公司 集团 控股".split(),  # noqa: SIM905
    *LEADING_FORMS_HAN,
)
"""Legal forms in Chinese characters, simplified, at the end of a name; one that ends like another comes before it."""

# ── words of one meaning, in the languages in which people write them ───────────────────────────────────────────────

SAME_WORD = _pairs("""
    univ uni universities universitat universitaet universite universita universidad universidade universiteit
        universitet universitetet universitas uniwersytet univerzita univerzitet univerza universitatea universiti
        yliopisto ylioppilas egyetem daxue daigaku daehakgyo daehak университет universitesi = university
    inst instit institut instituto istituto instytut instituut institutet institutes yanjiusuo yanjiuyuan kenkyusho
        kenkyujo институт institutul = institute
    coll colleges colegio collegium xueyuan = college
    acad academia akademie accademia akademia akademiya academie academies академия = academy
    lab labs laboratories laboratoire laboratorium laboratorio shiyanshi лаборатория = laboratory
    ctr centre centers centres centro zentrum centrum zhongxin центр = center
    sch schule escuela ecole scuola escola hochschule schools = school
    hosp hospitals krankenhaus klinikum = hospital
    dept dep departement departamento = department
    min ministerium ministere ministerio minister министерство = ministry
    assoc assn associacion = association
    soc societe sociedad gesellschaft = society
    comm commissions = commission
    org organisation organizations organisations organizacion = organization
    fdn stiftung fondation fundacion = foundation
    banco banque banca = bank
    academies = academy
    agence agencia = agency
    cons council = council
    tech technical technological technique technische technischen techn technik technologies technologie tecnologia
        tecnica tecnico tecnologica ligong jishu технический technicka tekniske tekniska teknisk = technology
    sci sciences scientific scientifique scientifica wissenschaften wissenschaft sciencies ciencia ciencias scienze
        kexue nauk = science
    keji = science technology
    kexueyuan = academy science
    eng engr engg engineers engineer ingenierie ingenieria gongcheng = engineering
    polytechnical politecnico politecnica polytechnique politechnika polytechnics polytech polytechnische =
        polytechnic
    natl nat nacional nationale nazionale nationaler guoli = national
    intl int internacional internationale internationaler guoji = international
    fed federale federal федеральный bundes = federal
    gov govt governmental = government
    med medical medicina medizinische medecine medizin yike = medicine
    agri agric agricultural agriculture nongye = agriculture
    ind industrial industries industrie gongye = industry
    elec electronic dianzi electrical electrics electric elettronica = electronics
    telecom telecoms telecommunication telecommunications = telecommunication
    communications = communication
    comput computers computing computational jisuanji = computer
    informatics informatik informatique informatica information informationstechnik = information
    aerospace = aerospace
    aeronautical aviation hangkong = aeronautics
    hangtian = astronautics
    math mathematics mathematical mathematik = mathematics
    phys physik physique = physics
    chem chemical chemicals chemistry chemie = chemistry
    bio biological biology biologie = biology
    mgmt = management
    econ economic economy = economics
    fin financial = finance
    educ education educational = education
    env environmental environment = environment
    res recherche forschung forschungszentrum investigacion ricerca yanjiu = research
    adv = advanced
    appl = applied
    autonoma autonomo autonome = autonomous
    catholique catolica cattolica katholieke = catholic
    libera freie freien = free
    shifan = normal
    st sankt sint saint sainte = saint
    tu = technology university
    studies = study
    systems = system
    networks = network
    semiconductors = semiconductor
    standards standardisation standardization = standard
    robotics robots robot = robot
    circuits = circuit
    motors = motor
    instruments = instrument
    materials = material
    minerals = mineral
    posts postal youdian = post
    defence = defense
    arts = art
    normale = normale
    nuclear atomic = nuclear
    energie = energy
    north northern = north
    south southern = south
    east eastern = east
    west western = west
    northeast northeastern dongbei = northeast
    northwest northwestern xibei = northwest
    southeast southeastern = southeast
    southwest southwestern = southwest
    chinese zhongguo = china
    japanese nippon nihon = japan
    korean = korea
    indian = india
    russian = russia
    german deutsche deutsches deutscher = germany
    french = france
    british = britain
    american = america
    australian = australia
    canadian = canada
    european europeenne = europe
    israeli = israel
    italian italiana = italy
    spanish = spain
    peking = beijing
    nanking = nanjing
    canton = guangzhou
    chungking = chongqing
    tientsin = tianjin
    hsinchu = xinzhu
    munchen muenchen = munich
    koln koeln = cologne
    wien = vienna
    geneve genf = geneva
    zuerich = zurich
    milano = milan
    torino = turin
    roma = rome
    napoli = naples
    firenze = florence
    venezia = venice
    moskva moskau московский moscovia = moscow
    praha = prague
    karlova = charles
    warszawski warszawska warszawa = warsaw
    jagiellonski = jagiellonian
    lisboa = lisbon
    kobenhavns kobenhavn = copenhagen
    helsingin helsinki = helsinki
    bruxelles brussel = brussels
    sevilla = seville
    bombay = mumbai
    calcutta = kolkata
    calif = california
    mass = massachusetts
    казанский = kazan
    петербургский = petersburg
    государственный = state
""")
"""Spellings, plurals, abbreviations and translations of words that many organisations have in their names."""

PHRASES = {
    tuple(line.split("=")[0].split()): tuple(line.split("=")[1].split())
    for line in """
    artificial intelligence = ai
    jiao tong = jiaotong
    hong kong = hongkong
    new york = newyork
    new zealand = newzealand
    los angeles = losangeles
    san diego = sandiego
    san francisco = sanfrancisco
    santa barbara = santabarbara
    santa cruz = santacruz
    sao paulo = saopaulo
    rio janeiro = riojaneiro
    buenos aires = buenosaires
    cape town = capetown
    new delhi = newdelhi
    tel aviv = telaviv
    saint louis = saintlouis
    saint petersburg = saintpetersburg
    saint andrews = saintandrews
    saint gallen = saintgallen
    north carolina = northcarolina
    south carolina = southcarolina
    north dakota = northdakota
    south dakota = southdakota
    west virginia = westvirginia
    new jersey = newjersey
    new mexico = newmexico
    new hampshire = newhampshire
    new south wales = newsouthwales
    south wales = southwales
    british columbia = britishcolumbia
    britain columbia = britishcolumbia
    southern california = southerncalifornia
    south california = southerncalifornia
    western australia = westernaustralia
    west australia = westernaustralia
    south australia = southaustralia
    north korea = northkorea
    south korea = southkorea
    south africa = southafrica
    saudi arabia = saudiarabia
    united states = usa
    united kingdom = uk
    united arab emirates = uae
    sun yat sen = sunyatsen
    sri lanka = srilanka
    costa rica = costarica
    inner mongolia = neimenggu
    """.splitlines()
    if line.strip()
}
"""Words that are one word where names are compared; the left side is written as `SAME_WORD` says."""

# ── kinds of words ──────────────────────────────────────────────────────────────────────────────────────────────────

CLASSES = _words("""
    university institute college academy laboratory center school hospital company ministry department commission
    bureau bank foundation fund society association alliance council organization consortium agency office museum
    library press conference forum workshop symposium summit exhibition faculty union committee administration
    authority court party factory corps hotel club network service clinic journal magazine
""")
"""What sort of organisation a name is of: a university is no college, an academy no ministry."""

FIELDS = _words("""
    technology science engineering polytechnic medicine agriculture forestry normal finance economics law music art
    arts film media drama design fashion mining mines petroleum petrochemical oil gas aeronautics astronautics
    aerospace space electronics electron microelectronics post telecommunication communication computer information
    software hardware ai automation robot control system circuit integrated semiconductor optics optical photonics
    acoustics mechanics physics chemistry biology mathematics statistics statistical geology geosciences geoscience
    geography earth ocean oceanography maritime marine meteorology astronomy energy nuclear plasma solar power water
    environment ecology climate material metallurgy steel textile architecture civil transport transportation railway
    jiaotong traffic automotive motor vehicle instrument device defense military navy naval army air force police
    security business management commerce trade education teacher language foreign study history culture social
    humanities political politics international national federal state royal metropolitan city central free open
    autonomous catholic islamic technical vocational capital people minority sport physical nursing pharmacy
    pharmaceutical dental veterinary traditional health cancer brain life genome data cyber internet cloud quantum
    nano advanced applied intelligent intelligence standard metrology industry heavy light mobile network electric
    agrarian food fishery migration planck insurance securities investment ventures general women children american
    normale superieure north south east west northeast northwest southeast southwest graduate research key mineral
    consulting trading logistics biotech biotechnology construction retail entertainment publishing machinery equipment
    aircraft shipbuilding chip display battery broadcasting
""")
"""Words of what an organisation does or whose it is: one of them more or less makes it another organisation."""

WEAK = _words("research")
"""Fields that come and go in the name of the same organisation."""

WEAK_OF_COMPANIES = _words("""
    technology science information network software system industry global solution solutions international
    intelligent ai robot electronics
""")
"""Fields that come and go in the name of the same company, where the rest is a name of its own."""

COUNTRIES = _words("""
    china japan korea india russia germany france britain uk england scotland wales ireland america usa australia
    canada europe israel italy spain portugal netherlands belgium switzerland austria sweden norway denmark finland
    iceland poland czechia hungary romania bulgaria greece turkey ukraine belarus estonia latvia lithuania serbia
    croatia slovenia slovakia iran iraq saudiarabia uae qatar kuwait oman jordan lebanon egypt morocco algeria tunisia
    kenya nigeria ghana ethiopia southafrica pakistan bangladesh srilanka nepal thailand vietnam malaysia singapore
    indonesia philippines cambodia myanmar laos mongolia kazakhstan uzbekistan brazil argentina chile colombia peru
    mexico cuba venezuela ecuador uruguay costarica newzealand northkorea southkorea asia africa pacific taiwan
    hongkong macau
""")
"""Countries as one word. At the end of a name they may only say where it is."""

PLACES = COUNTRIES | _words("""
    alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois
    indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri
    montana nebraska nevada newhampshire newjersey newmexico newyork northcarolina northdakota ohio oklahoma oregon
    pennsylvania southcarolina southdakota tennessee texas utah vermont virginia washington westvirginia wisconsin
    wyoming southerncalifornia ontario quebec alberta manitoba saskatchewan britishcolumbia newsouthwales queensland
    victoria tasmania southwales westernaustralia southaustralia boston chicago losangeles sanfrancisco sandiego
    seattle austin dallas houston atlanta miami denver phoenix philadelphia pittsburgh baltimore detroit cleveland
    rochester buffalo berkeley davis irvine riverside santabarbara santacruz saintlouis urbana champaign columbus
    toronto montreal vancouver ottawa waterloo calgary edmonton london oxford cambridge manchester birmingham leeds
    bristol liverpool sheffield nottingham edinburgh glasgow cardiff belfast dublin york durham warwick southampton
    paris lyon marseille grenoble toulouse strasbourg nice lille berlin munich hamburg cologne frankfurt stuttgart
    dresden leipzig karlsruhe aachen bonn heidelberg freiburg vienna graz innsbruck zurich geneva basel bern lausanne
    rome milan turin naples florence venice bologna padua pisa madrid barcelona valencia seville granada lisbon porto
    amsterdam rotterdam utrecht delft eindhoven leiden groningen brussels leuven louvain ghent antwerp copenhagen
    aarhus stockholm uppsala gothenburg oslo bergen helsinki warsaw krakow prague brno budapest bucharest sofia athens
    istanbul ankara moscow saintpetersburg petersburg novosibirsk kazan tomsk kiev minsk tehran isfahan baghdad riyadh
    jeddah dubai doha jerusalem telaviv haifa cairo capetown johannesburg nairobi lagos mumbai delhi newdelhi madras
    chennai kolkata bangalore bengaluru hyderabad kanpur kharagpur roorkee guwahati pune karachi lahore islamabad
    dhaka bangkok hanoi jakarta manila kualalumpur sydney melbourne brisbane perth adelaide canberra auckland
    wellington otago tokyo kyoto osaka nagoya tohoku hokkaido kyushu hiroshima kobe yokohama tsukuba okinawa sapporo
    fukuoka seoul busan daejeon pohang ulsan gwangju taipei hsinchu xinzhu taichung tainan kaohsiung saopaulo
    riojaneiro campinas buenosaires santiago bogota lima havana shanxi shaanxi huazhong huadong huanan huabei zhongnan
""")
"""Places as one word. A place alone does not make an organisation, and a place more may only say where it is."""

# ── Chinese ─────────────────────────────────────────────────────────────────────────────────────────────────────────

HAN_PLACES = """
    北京 上海 天津 重庆 河北 山西 内蒙古 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 广西 海南
    四川 贵州 云南 西藏 陕西 甘肃 青海 宁夏 新疆 石家庄 太原 呼和浩特 沈阳 大连 长春 哈尔滨 南京 杭州 宁波 温州 合肥
    福州 厦门 泉州 南昌 济南 青岛 郑州 洛阳 武汉 长沙 湘潭 广州 深圳 珠海 东莞 佛山 汕头 南宁 桂林 海口 成都 绵阳 贵阳
    昆明 拉萨 西安 兰州 西宁 银川 乌鲁木齐 苏州 无锡 常州 南通 扬州 徐州 镇江 盐城 烟台 威海 潍坊 唐山 保定 秦皇岛
    包头 鞍山 锦州 延边 绍兴 嘉兴 湖州 台州 芜湖 赣州 开封 宜昌 衡阳 株洲 湛江 中山 延安 台北 台中 台南 高雄 新竹 华东
    华南 华北 华中 中南 江南
"""
"""Chinese places that are read as pypinyin reads them."""

HAN_WORDS = _pairs("""
    山西 = shanxi
    陕西 = shaanxi
    重庆 = chongqing
    厦门 = xiamen
    长春 = changchun
    长沙 = changsha
    长安 = changan
    西安 = xian
    哈尔滨 = harbin
    内蒙古 = neimenggu
    西藏 = tibet
    新疆 = xinjiang
    拉萨 = lhasa
    乌鲁木齐 = urumqi
    呼和浩特 = hohhot
    香港 = hongkong
    澳门 = macau
    台湾 = taiwan
    台北 = taipei
    新竹 = xinzhu
    中国 中华 = china
    日本 = japan
    韩国 = korea
    美国 = america
    英国 = britain
    德国 = germany
    法国 = france
    俄罗斯 = russia
    印度 = india
    新加坡 = singapore
    加拿大 = canada
    澳大利亚 = australia
    以色列 = israel
    欧洲 = europe
    东京 = tokyo
    京都 = kyoto
    大阪 = osaka
    广岛 = hiroshima
    名古屋 = nagoya
    九州 = kyushu
    北海道 = hokkaido
    首尔 서울 = seoul
    부산 = busan
    한국 = korea
    伦敦 = london
    巴黎 = paris
    柏林 = berlin
    慕尼黑 = munich
    莫斯科 = moscow
    纽约 = newyork
    加州 加利福尼亚 = california
    华盛顿 = washington
    牛津 = oxford
    剑桥 = cambridge
    东北 = northeast
    西北 = northwest
    东南 = southeast
    西南 = southwest
    大学 大学校 대학교 = university
    学院 대학 = college
    研究所 研究院 所 연구소 연구원 = institute
    实验室 = laboratory
    中心 = center
    医院 = hospital
    学校 = school
    委员会 = commission
    部 = ministry
    局 = bureau
    署 = agency
    银行 = bank
    基金会 = foundation
    基金 = fund
    学会 = society
    协会 = association
    联盟 = alliance
    大会 会议 年会 = conference
    论坛 = forum
    研讨会 = workshop
    展览会 博览会 = exhibition
    出版社 = press
    厂 = factory
    中科院 = china academy science
    社科院 = china academy social science
    科学院 = academy science
    工程院 = academy engineering
    理工 = technology
    工业 = industry
    科技 科学技术 과학기술 = science technology
    科学 과학 = science
    技术 기술 = technology
    工程 = engineering
    师范 = normal
    医科 医学 = medicine
    中医药 中医 = traditional medicine
    药科 = pharmacy
    农业 = agriculture
    农林 = agriculture forestry
    林业 = forestry
    财经 金融 = finance
    政法 = politics law
    外国语 = foreign language
    语言 = language
    民族 = minority
    交通 = jiaotong
    航空 = aeronautics
    航天 = astronautics
    宇航 = aerospace
    电子 전자 = electronics
    微电子 = microelectronics
    电气 = electric
    邮电 = post telecommunication
    信息 信息化 资讯 情报 = information
    通信 通讯 = communication
    电信 = telecommunication
    移动 = mobile
    计算机 计算 = computer
    软件 = software
    自动化 = automation
    人工智能 = ai
    智能 = intelligent
    机器人 = robot
    海洋 = ocean
    海事 = maritime
    地质 = geology
    矿业 = mining
    石油 = petroleum
    化工 = chemistry engineering
    化学 = chemistry
    物理 = physics
    数学 = mathematics
    生物 = biology
    生命 = life
    能源 = energy
    电力 = power
    核 = nuclear
    材料 = material
    声学 = acoustics
    光学 = optics
    力学 = mechanics
    遥感 = remote sensing
    空间 = space
    天文 = astronomy
    气象 = meteorology
    先进 = advanced
    高等 = advanced
    制造 = manufacturing
    投资 = investment
    证券 = securities
    保险 = insurance
    汽车 = automotive
    铁路 铁道 = railway
    电网 = power network
    网络 = network
    系统 = system
    云 = cloud
    半导体 = semiconductor
    集成电路 积体电路 = integrated circuit
    纺织 = textile
    建筑 = architecture
    体育 = sport
    音乐 = music
    美术 艺术 = art
    电影 = film
    传媒 = media
    经济 = economics
    贸易 = trade
    商业 = business
    工商 = industry commerce
    管理 = management
    教育 = education
    国防 = defense
    军事 = military
    海军 = navy
    空军 = air force
    陆军 = army
    公安 = police
    职业 = vocational
    首都 = capital
    人民 = people
    国立 国家 = national
    国际 = international
    中央 = central
    城市 = city
    开放 = open
    社会 = social
    自然 = natural
    重点 = key
    标准化 标准 = standard
    计量 = metrology
    中文 = china
    和 与 及 =
""")
"""Words of Chinese names (and a few Japanese and Korean ones), simplified, and what they are in the form."""

HAN_SHORT = _pairs("""
    科学院 = 科院
    工程院 = 工院
    理工 = 理工
    科学技术 = 科技
    科技 = 科技
    研究所 = 所
    研究院 = 院
    学院 = 院
    委员会 = 委
    基金会 = 基金会
    实验室 = 室
""")
"""What a word leaves in the short form of a name; every other word leaves its first character."""

# ── other alphabets ─────────────────────────────────────────────────────────────────────────────────────────────────

_LETTERS = """
    а a б b в v г g д d е e ё e ж zh з z и i й i к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ
    shch ы y э e ю yu я ya і i ї i є e ґ g α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς
    s τ t υ y φ f χ ch ψ ps ω o
"""
LETTERS = dict(zip(_LETTERS.split()[::2], _LETTERS.split()[1::2], strict=True)) | {"ъ": "", "ь": ""}
"""Cyrillic and Greek letters in Latin ones."""

PLAIN = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
"""Latin letters that do not come apart into a plain one and an accent."""
