"""What names, places and companies look like in the languages whose files come in old encodings.

Data for `encodings`: for each encoding the languages that were written in it. A language in Latin letters is described
by its letters beyond ASCII, another by its letters from the most to the least frequent; where there are thousands, by
those frequent in names, places and companies.
"""

from typing import NamedTuple


class Language(NamedTuple):
    """One language.

    Attributes:
        letters: Its letters beyond ASCII, lower case; sorted by frequency if the script is not Latin.
        weight: How readily a word is taken for one of this language, where another would explain it as well.
        never: What none of its words holds, as a regular expression.
    """

    letters: str
    weight: float = 1.0
    never: str | None = None


WESTERN = (
    Language("àèéìòùî"),
    Language("àâçéèêëîïôœùûüÿæ"),
    Language("äöüßé"),
    Language("áéíñóúü"),
    Language("áâãàçéêíóôõúü", never="õ(?!e)"),
    Language("åäöéü"),
    Language("æøåéäöü"),
    Language("ëïéèöüá"),
    Language("àçèéíïòóúü"),
    Language("äöõüšž", 0.9),
    Language("áðéíóúýþæö", 0.8),
)
"""Italian, French, German, Spanish, Portuguese, Swedish, Danish, Dutch, Catalan, Estonian, Icelandic."""

CENTRAL = (
    Language("ąćęłńóśźż"),
    Language("áčďéěíňóřšťúůýž"),
    Language("áäčďéíĺľňóôŕšťúýž"),
    Language("áéíóöőúüű"),
    Language("ăâîşţșț"),
    Language("čćđšž"),
)
"""Polish, Czech, Slovak, Hungarian, Romanian, Croatian and its neighbours."""

TURKISH = (Language("çğıöşüâîi̇", 0.95),)
BALTIC = (Language("āčēģīķļņšūž", 0.9), Language("ąčęėįšųūž", 0.9))

CYRILLIC = (
    Language("оаиенвртслкмдпубягзьчыйхшюжцфщэъё"),
    Language("оаинівретслкмдубпягзьйчхїцшжюєфщґ'"),
    Language("аиоентрсвлдкпмугзбшћчцјњљжђхфџ", 0.9),
)
"""Russian and Bulgarian, Ukrainian, Serbian."""

GREEK = (Language("αοιςστενρκπλμυηίάδόγήέθώχύφβξζψωΐϊΰϋ"),)
HEBREW = (Language("יולרהאמבשנתדכחעגקספטזצםןךףץ"),)
ARABIC = (Language("اليمنرحدبسعتهوفقكشخطجصةىأزضئذغثظءإآؤ،"),)
THAI = (Language("านรกอมยวสลงทดตคบนพปหชขจผซธฟศณภษฉญถ่้ัีิุูเแ์ำๆไใโะ็ฐืฒ"),)

JAPANESE = (
    Language(
        "山田中村小林本木川野口藤佐井上原島崎橋高松石大谷西岡東南北森池加吉清水前後長谷部渡辺斎伊鈴近遠青内千葉竹宮和平福今市三浦"
        "太郎子美花一二次恵真由紀香織智健翔陽菜明正博幸雄男夫洋介之隆誠浩裕直樹株式会社東京都大阪府県区町丁目横浜神戸名古屋"
        "京札幌仙台広福岡氏名住所電話番号業営商事工製作所"
    ),
)
SIMPLIFIED = (
    Language(
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕小明伟芳娜敏静丽强磊军洋勇艳杰娟涛"
        "超霞平刚桂英文华建国红玉兰海金志北京市上海广州深圳天津重庆成都武汉杭南省区县路号有限公司集团科技贸易发展股份"
        "姓名电话地址邮箱职位经理中的人"
    ),
)
TRADITIONAL = (
    Language(
        "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余盧梁趙顏柯翁魏孫戴怡君志明雅婷"
        "俊傑家豪淑芬美玲小建宏文華玉秀英國臺台北市新中高雄桃園竹縣區鄉鎮路街號段有限公司股份企業科技貿易姓名電話地址經理的人"
    ),
)
KOREAN = (
    Language(
        "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민수영희지현은경서준호진아연선미정숙"
        "동기상철재훈혜원나라도시울특별광역부산대인천구로길번주식회사유한이름전화소기업사장님"
    ),
)
