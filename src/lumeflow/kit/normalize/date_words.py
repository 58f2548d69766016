"""Words in written dates, folded: in Croatian, Czech, Danish, Dutch, English, Finnish, French, German, Greek,
Hungarian, Italian, Norwegian, Polish, Portuguese, Romanian, Russian, Slovak, Spanish, Swedish, Turkish and Ukrainian.

The names are from the Unicode CLDR (Unicode License v3). Words that mean one month here and another there, such as
`listopad`, are left out.
"""

from collections.abc import Mapping

_MONTHS = (
    "ene enero gen gennaio ian ianuarie jan janeiro januar januara januari january janv janvier led leden ledna "
    "oca ocak sij sijecanj sijecnja sty styczen stycznia tammi tammikuu tammikuuta ιαν ιανουαριοσ ιανουαριου "
    "січ січень січня янв январь января",
    "feb febbraio febr febrero februar februara februari februarie february fev fevereiro fevr fevrier helmi "
    "helmikuu helmikuuta lut lutego luty sub subat uno unor unora velj veljaca veljace φεβ φεβρουαριοσ "
    "φεβρουαριου лют лютии лютого февр февраль февраля",
    "bre brezen brezna maalis maaliskuu maaliskuuta maart mar marc marca march marcius marco marec mars mart "
    "martie marts marz marzec marzo mrt ozu ozujak ozujka μαρ μαρτιοσ μαρτιου бер березень березня мар март "
    "марта",
    "abr abril apr april aprila aprile aprilie aprilis avr avril dub duben dubna huhti huhtikuu huhtikuuta kwi "
    "kwiecien kwietnia nis nisan tra travanj travnja απρ απριλιοσ απριλιου апр апрель апреля квіт квітень "
    "квітня",
    "kve kveten kvetna mag maggio mai maio maj maja majus may mayis mayo mei svi svibanj svibnja touko toukokuu "
    "toukokuuta μαι μαιοσ μαιου маи мая трав травень травня",
    "cerven cervna cvn cze czerwca czerwiec giu giugno haz haziran iun iunie juin jun juna june junho juni "
    "junio junius kesa kesakuu kesakuuta lipanj lipnja ιουν ιουνιοσ ιουνιου июн июнь июня черв червень червня",
    "cervence cervenec cvc heina heinakuu heinakuuta iul iulie juil juillet jul jula julho juli julio julius "
    "july lipca lipiec lug luglio srpanj srpnja tem temmuz ιουλ ιουλιοσ ιουλιου июл июль июля лип липень липня",
    "ago agosto agu agustos aout aug august augusta augusti augustus augusztus elo elokuu elokuuta kol kolovoz "
    "kolovoza sie sierpien sierpnia srpen srpna αυγ αυγουστοσ αυγουστου авг август августа серп серпень серпня",
    "eyl eylul ruj rujan rujna sep sept september septembra septembre septembrie septiembre set setembro "
    "settembre syys syyskuu syyskuuta szept szeptember wrz wrzesien wrzesnia zar zari σεπ σεπτεμβριοσ "
    "σεπτεμβριου вер вересень вересня сент сентябрь сентября",
    "eki ekim loka lokakuu lokakuuta oct october octobre octombrie octubre okt oktober oktobra ott ottobre out "
    "outubro paz pazdziernik pazdziernika rij rijen rijna οκτ οκτωβριοσ οκτωβριου жовт жовтень жовтня окт "
    "октябрь октября",
    "kas kasim listopadu marras marraskuu marraskuuta noiembrie nov november novembra novembre novembro "
    "noviembre stu studeni studenoga νοε νοεμβριοσ νοεμβριου лист листопад листопада нояб ноябрь ноября",
    "ara aralik dec december decembra decembre decembrie des desember dez dezember dezembro dic dicembre "
    "diciembre gru grudnia grudzien joulu joulukuu joulukuuta pro prosinac prosinca prosince prosinec δεκ "
    "δεκεμβριοσ δεκεμβριου груд грудень грудня дек декабрь декабря",
)
MONTHS: Mapping[str, int] = {name: number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
"""Numbers of months by name and abbreviation."""

_DAYS = (
    "car carsamba cet cetvrtak cmt cs csutortok ct ctvrtek cum cuma cumartesi czw czwartek di dienstag dim "
    "dimanche dinsdag do dom domenica domingo donderdag donnerstag dum duminica feira fr fre fredag freitag fri "
    "friday gio giovedi hetfo jeu jeudi joi jue jueves ke kedd keskiviikko keskiviikkona la lauantai lauantaina "
    "lor lordag lun lundi lunedi lunes luni ma maanantai maanantaina maandag man mandag mardi martedi martes "
    "marti mer mercoledi mercredi mi mie miercoles miercuri mittwoch mo mon monday montag ne ned nedela nedele "
    "nedjelja niedz niedziela ons onsdag pa patek pazar pazartesi pe pentek per perjantai perjantaina persembe "
    "pet petak pi piatek piatok po pon pondeli pondelok ponedjeljak poniedzialek pt pzt qua quarta qui quinta "
    "sa sab sabado sabato sal sali sam sambata samedi samstag sat saturday seg segunda sex sexta so sob sobota "
    "son sondag sonntag sr sri srijeda sroda st streda stvrtok su subota sun sunday sunnuntai sze szerda szo "
    "szombat ter terca thu thursday ti tiistai tiistaina tir tirs tirsdag tis tisdag to tor tors torsdag "
    "torstai torstaina tue tuesday ut utery uto utorak utorok vasarnap ven vendredi venerdi vie viernes vin "
    "vineri vr vrijdag wed wednesday wo woensdag wt wtorek za zaterdag zo zondag δευ δευτερα κυρ κυριακη παρ "
    "παρασκευη πεμ πεμπτη σαβ σαββατο τετ τεταρτη τρι τριτη воскресенье вс вт вторник вівторок нд неділя "
    "пʼятниця пн понедельник понеділок пт пятница сб середа ср среда суббота субота четвер четверг чт "
)
_SMALL_WORDS = (
    "of the on at and de del der den di du da do dia le la el il lo um uhr ore h hrs hours alle à a kl den st "
    "nd rd th er eme e ta te t the г r года року roku "
)
IGNORED = frozenset((_DAYS + _SMALL_WORDS).split())
"""Days of the week, which the date tells anyway, and words that only join."""
