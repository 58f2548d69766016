"""Word lists from which invented people, employers and places are put together."""

_GIVEN = """
Mira Lena Tomas Clara Hugo Iris Felix Nora Oscar Ada Theo Ruth Jonas Edith Miles Hazel Rufus Greta Silas Vera
Agnès Benoît Chloé Damien Élodie François Gaëlle Hélène Jérôme Léa Maëlle Noémie Raphaël Solène Théo Zoé
Álvaro Begoña Cristóbal Débora Encarnación Fermín Íñigo Joaquín Lucía Máximo Nicolás Óscar Pilar Raúl Sofía Úrsula
Afonso Beatriz Conceição Duarte Gonçalo Inês João Leonor Martim Rúben Simão Tomás
Alessio Bianca Carmelo Donatella Ettore Fiorella Giacomo Ilaria Ludovica Niccolò Ottavia Piero Samuele Teodora
Anneliese Björn Dörte Friedrich Günther Heike Jörg Käthe Lüder Mechthild Rüdiger Sönke Ulrike Wiebke
Åsa Birgitta Göran Håkan Kjell Lovisa Märta Nils Örjan Sigrid Torbjörn Ylva
Ásta Bjarki Freyja Guðrún Hrafn Jökull Sólveig Þór Søren Jørgen Mette Øystein
Aino Eero Hilkka Jyrki Kalevi Päivi Sampsa Tuulikki Väinö Kristjan Maarika Tõnis
Bartosz Celina Dobrosława Grażyna Jędrzej Łucja Małgorzata Paweł Stanisław Wojciech Zbigniew Żaneta
Bohumil Dalibor Františka Jiří Květa Luboš Ondřej Růžena Štěpán Vojtěch Zdeněk Živa
Branimir Dunja Goran Ivka Ljubica Mladen Nevena Radomir Slađana Tihana Željko Žarko
Árpád Boglárka Csaba Erzsébet Ferenc Gyöngyi Ildikó Lőrinc Mátyás Réka Szabolcs Zsófia
Andrei Crenguța Dragoș Ionela Mihai Raluca Ștefan Țuca Viorel Zamfira
Ayşe Barış Cansu Çağla Deniz Ebru Gökhan Hüseyin İpek Kerem Özlem Şebnem Tuğba Umut
Eleni Dimitra Giorgos Kalliope Leonidas Myrto Nikos Stavroula Thanos Zoi
Amara Chidi Emeka Folasade Ifeoma Kelechi Ngozi Obinna Tunde Yewande Kwame Efua Kofi Adwoa
Abebe Fatuma Juma Makena Njeri Otieno Wanjiru Zawadi Thandiwe Sipho Lindiwe Themba
Amina Bilal Farida Hamza Khadija Layla Mourad Nabil Rania Samir Tariq Yasmin
Arash Golnaz Kaveh Laleh Nasrin Omid Parisa Shirin Arman Nare Tigran Nino Levan Tamar
Aditi Bhavesh Chandra Deepika Gaurav Ishani Kiran Lakshmi Manoj Nandini Pranav Rukmini Sanjay Trisha Vikram
Ayesha Faisal Imran Mahnoor Nimra Sajid Zainab Dilini Kasun Ruwan Thilini
An Bảo Châu Dũng Hương Khánh Linh Minh Ngọc Phương Quỳnh Thảo Tuấn Vân
Akira Chiyo Daiki Emiko Haruto Kaori Masato Natsuki Ryota Sayuri Takumi Yumi
Bora Dohyun Eunji Haneul Jiwoo Minseo Seojun Yuna
Budi Citra Dewi Eko Intan Joko Ratna Wayan Amihan Bayani Dalisay Ligaya
Aroha Hemi Kahu Mereana Leilani Keanu Sina Tavita Nizhoni Aiyana Koda Quetzal Xochitl Ixchel Nayeli
"""

_FAMILY = """
Holt Okafor Ashby Barlow Cresswell Dunmore Ellery Fairfax Garrow Hatherley Inskip Jessop Kendrick Lockhart Merriweather
Norwood Oakes Penhallow Quigley Ravenhill Sedgwick Thornbury Underhill Vickery Wetherby Yardley
Aubépin Béranger Chauvelin Delacôte Étienne Fougère Guérard Hénin Jolivet Lefèvre Marchetière Noël Ployé Rivière
Sérusier Tréville Vauquelin
Aldecoa Bermúdez Cárdenas Domínguez Echeverría Fuensanta Garzón Huéscar Íscar Jáuregui Luján Mondragón Núñez Ordóñez
Peñalver Quiñones Revuelta Sepúlveda Tejón Urrutia Valdés Yáñez Zúñiga
Albuquerque Brandão Cerqueira Dourado Falcão Guimarães Junqueira Lourenço Magalhães Noronha Pacheco Queirós Sardinha
Taveira Vilhena
Abbatelli Bellacosta Cantalupo Dellavalle Esposti Fornaro Gualtieri Lombardini Montefusco Orsucci Pellegrino Quaranta
Rovigatti Santoro Tiraboschi Vitaliano Zappalà
Ackermann Böhme Dürkopp Eichhorn Fürst Göbel Hölderich Jäger Köhnlein Löwe Möbius Nüßlein Overbeck Pröll Rößler Süßmilch
Tönnies Übelacker Vögele Wümme Zöllner
Åkerlund Bergström Dahlqvist Ekström Forsgren Grönlund Hägg Lindström Månsson Nyström Öberg Sjögren Törnqvist Wikström
Bjørnstad Dømler Fjellheim Gjøvik Håvik Kjærgaard Nørgaard Rødland Skjelbred Tønnesen Ødegård Ægisdóttir Þorláksson
Halonen Hämäläinen Järvinen Kääriäinen Lehtonen Mäkelä Nieminen Pöysti Räsänen Söderholm Tammisaar Õunapuu Võsa
Błaszczyk Ciesielski Dąbrowska Gałązka Jóźwiak Kędzierska Łoziński Mączyński Nowosielska Ożóg Piątek Świątek Wróbel
Żurek Bělohlávek Čermák Dvořáková Hájek Jeřábek Kůrka Máchová Němec Pospíšil Říha Šťastný Vrána Zítek Žďárský
Babić Ćosić Đurđević Grgić Jovančić Kovačić Marušić Obradović Perković Šarić Tomašević Vučković Živković
Balázsfalvi Csányi Dőry Erdődi Földvári Gyöngyösi Hegedűs Körösi Lázár Nádasdy Ördög Pálfalvi Sárközi Tölgyesi Zsigmond
Bălan Crăciun Dumitrașcu Făgăraș Ghițescu Ionescu Mărgărit Păun Rădulescu Șerban Țepeș Văcărescu
Akbulut Bozkurt Çelikoğlu Dağdelen Erdoğdu Gündüz Işıkçı Karagöz Özdemir Şimşek Türkoğlu Ünal Yıldızhan
Alexandrou Dimopoulou Galanis Kalogeras Lambrakis Makrides Papadakou Stathopoulos Theodorou Zografou
Achebeze Adeyanju Balogun Chukwuma Ekwueme Nwosu Ogunleye Onyekachi Uzoma Boateng Mensah Osei Quartey Yeboah
Abdi Chepkemoi Kamau Kiprono Mutua Mwangi Ochieng Wambui Dlamini Khumalo Mokoena Ndlovu Sithole Zungu
Benslimane Chaoui Daoudi El-Amrani Ghazali Haddad Jaziri Khoury Mansouri Nasser Rahmani Saïdi Tazi Zerouali
Ahmadian Bahrami Farrokh Golshan Karimzadeh Moradi Rostami Tehranchi Avagyan Hakobyan Sargsyan Beridze Kapanadze
Agarwal Bhattacharya Chaudhuri Deshpande Gokhale Iyer Joshi Kulkarni Menon Nambiar Patwardhan Raghunathan Subramanian
Thakkar Varghese
Baig Chaudhry Durrani Khattak Malik Qureshi Siddiqui Jayawardena Perera Wickramasinghe
Bùi Đặng Đỗ Hoàng Huỳnh Lê Nguyễn Phạm Trần Trịnh Võ Vũ
Aoyama Fujisawa Hasegawa Ishibashi Kurosaki Matsuda Nakagawa Okamoto Sakurai Tachibana Watanabe Yoshimura
Bae Choi Hwang Jang Kwon Noh Ryu Seo Shin Yoon
Hidayat Kusuma Pranoto Santosa Wibowo Bautista Dimaculangan Magsaysay Pangilinan Salonga
Ngata Paewai Tamihana Wharehoka Faleolo Leota Tuilagi Begaye Yellowhorse Tlalpan Citlali Huamán Quispe Mamani
"""

GIVEN_NAMES = tuple(_GIVEN.split())
FAMILY_NAMES = tuple(_FAMILY.split())

COMPANY_PLACES = (
    "Harbour", "Northern", "Alder", "Blue Gate", "Cedar", "Delta", "Eastfield", "Fjord", "Granite", "Highland",
    "Ivory", "Juniper", "Kestrel", "Lakeside", "Meridian", "Nordic", "Orchard", "Prairie", "Quarry", "Riverside",
    "Saffron", "Tidal", "Union", "Valley", "Willow",
)  # fmt: skip
COMPANY_TRADES = (
    "Freight", "Rail", "Bakery", "Studio", "Robotics", "Optics", "Textiles", "Timber", "Ceramics", "Brewery",
    "Printing", "Analytics", "Logistics", "Foods", "Interiors", "Energy", "Travel", "Dental", "Books", "Cycles",
    "Florists", "Instruments", "Catering", "Roofing", "Architects", "Media", "Chemicals", "Plastics", "Seeds", "Toys",
    "Insurance", "Recruiting", "Shipping", "Solar", "Software", "Tailors", "Tools", "Vineyards", "Water", "Yachts",
)  # fmt: skip
INDUSTRIES = (
    "logistics & supply chain", "food & beverages", "design", "machinery", "information technology & services",
    "construction", "retail", "printing", "renewables & environment", "hospitality", "media production", "insurance",
)  # fmt: skip

# Job title, seniority, department.
JOBS = (
    ("Head of Logistics", "head", "operations"), ("Marketing Manager", "manager", "marketing"),
    ("Founder", "founder", "c_suite"), ("Sales Director", "director", "sales"),
    ("Account Executive", "entry", "sales"), ("Purchasing Manager", "manager", "operations"),
    ("Software Engineer", "senior", "engineering"), ("Office Manager", "manager", "administrative"),
    ("Chief Financial Officer", "c_suite", "finance"), ("Product Designer", "senior", "design"),
    ("HR Business Partner", "senior", "human_resources"), ("Export Coordinator", "entry", "operations"),
    ("Store Manager", "manager", "retail"), ("Brand Strategist", "senior", "marketing"),
    ("Operations Analyst", "entry", "operations"), ("VP Partnerships", "vp", "business_development"),
    ("Photographer", "senior", "arts_and_design"), ("Quality Engineer", "senior", "engineering"),
)  # fmt: skip
FORMER_TITLES = ("Planner", "Assistant", "Consultant", "Trainee", "Coordinator", "Specialist", "Team Lead", "Analyst")
DEGREES = ("BSc", "MSc", "BA", "MA", "MBA", "Diploma")

# City, state or region, country.
PLACES = (
    ("Lisbon", "Lisbon", "Portugal"), ("Turin", "Piedmont", "Italy"), ("Kraków", "Lesser Poland", "Poland"),
    ("Malmö", "Skåne", "Sweden"), ("Lyon", "Auvergne-Rhône-Alpes", "France"), ("Leipzig", "Saxony", "Germany"),
    ("Seville", "Andalusia", "Spain"), ("Rotterdam", "South Holland", "Netherlands"), ("İzmir", "İzmir", "Turkey"),
    ("Cork", "County Cork", "Ireland"), ("Leeds", "England", "United Kingdom"), ("Portland", "Oregon", "United States"),
    ("Austin", "Texas", "United States"), ("Lagos", "Lagos", "Nigeria"), ("Nairobi", "Nairobi", "Kenya"),
    ("Pune", "Maharashtra", "India"), ("Osaka", "Osaka", "Japan"), ("Wellington", "Wellington", "New Zealand"),
)  # fmt: skip

# Numbers that regulators keep free for fiction, with x for the digits to fill in.
FICTIONAL_NUMBERS = (
    "+1 202 555 01xx", "+1 415 555 01xx", "+44 20 7946 0xxx", "+44 7700 900xxx", "+33 1 99 00 xx xx",
    "+33 6 39 98 xx xx", "+46 8 465 004 xx", "+61 2 5550 xxxx", "+353 20 914 xxxx", "+49 30 23125 xxx",
)  # fmt: skip
