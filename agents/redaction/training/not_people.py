"""Which capitalised words in training text name neither a person nor a place? Things, firms, jobs, days, months."""

PRODUCTS = tuple(
    """iPhone, iPad, MacBook Pro, Windows 11, Android, Excel, Word, PowerPoint, Outlook, Teams, Slack, Zoom, Chrome,
    Firefox, Python, Java, JavaScript, TypeScript, React, Docker, Kubernetes, Kafka, Redis, Postgres, MySQL, Linux,
    Ubuntu, Git, GitHub, Jira, Confluence, Photoshop, PlayStation, Xbox, Nintendo Switch, Kindle, Alexa, Siri, Gmail,
    YouTube, Instagram, Facebook, TikTok, WhatsApp, Twitter, Netflix, Spotify, Uber, Visa, Mastercard, American Express,
    PayPal, Apple Pay, Google Pay, Bitcoin, Ethereum, Premium Plan, Gold Card, Platinum, Christmas, Easter, Ramadan,
    Diwali, Halloween, Thanksgiving, Black Friday, New Year, World Cup, Champions League, Super Bowl, Olympics,
    Star Wars,
    Game of Thrones, Minecraft, Fortnite, Pokemon, English, French, Spanish, German, Chinese, Japanese, American,
    British, Italian, Indian, Catholic, Muslim, Jewish, Buddhist, Democrat, Republican, Bluetooth, WiFi, USB, HDMI, VPN,
    API, JSON, HTML, CSS, SQL, PDF, CPU, GPU, SSD, HR, CEO, CFO, KPI, ASAP, FAQ, ATM, PIN, IBAN, SWIFT, VAT, SSN, DNA,
    MRI, Covid, Ibuprofen, Aspirin, Paracetamol, Insulin, Zoloft, Adidas, Levi's, Ferrari, Tesla, Toyota Corolla,
    Honda Civic, Volkswagen Golf, Boeing 737, Airbus, Coca-Cola, Pepsi, Nutella, Big Mac, Bible, Quran, Harry Potter,
    Lord of the Rings, Terms and Conditions, Privacy Policy, Customer Service, Help Desk, User Guide, Quick Start,
    Annual Report, Project Phoenix, Sprint Review, Standard Deviation, Newton's law, Machine Learning, Deep Learning,
    Renaissance, World War II, Cold War, Industrial Revolution, Bachelor of Science, Master of Arts, Statistics,
    Biology, Physics, Chemistry, History, Algebra, Spring, Summer, Autumn, Winter, God, Internet, Earth, Moon, Mars,
    Jupiter, Amoxicillin, Apple Watch, Roomba, Dyson, GoPro, Polaroid, Magic Mouse, Echo Dot, Fire Stick, Chromecast,
    Salesforce, SAP, Oracle, Tableau, Grafana, Prometheus, Jenkins, Ansible, Terraform, Swift, Rust, Ruby, Go, Scala,
    Julia, Pandas, Flask, Django, Spark, Hadoop, Airflow, Jasmine, Jupyter, Pearl, Daisy, Rose, Lily, Amber""".replace(
        "\n", " "
    ).split(", ")
)
"""Capitalised things that are no people and no places; the last ones on purpose read like names."""

ORGANISATIONS = tuple(
    """Google, Microsoft, Amazon, Apple, IBM, Intel, Nvidia, HSBC, Barclays, Chase, Wells Fargo, Citibank,
    Deutsche Bank,
    Santander, BBC, CNN, Reuters, Bloomberg, NASA, FBI, IRS, NHS, UN, EU, NATO, WHO, UNICEF, Red Cross, Walmart, Target,
    Costco, IKEA, Tesco, Lidl, Aldi, Starbucks, McDonald's, Nike, Sony, Samsung, LG, Siemens, Bosch, BMW, Vodafone,
    Verizon, AT&T, Comcast, FedEx, UPS, DHL, USPS, Airbnb, Booking.com, Expedia, Hilton, Marriott, Lufthansa, Delta,
    Ryanair, Pfizer, Bayer, Novartis, Roche, Accenture, Deloitte, KPMG, PwC, Harvard, MIT, Supreme Court, Congress,
    Parliament, Ministry of Health, City Council, Liverpool FC, Real Madrid, Lakers, Yankees, Cowboys""".replace(
        "\n", " "
    ).split(", ")
)

JOBS = tuple(
    """manager, engineer, nurse, teacher, lawyer, accountant, director, analyst, designer, driver, chef, plumber,
    doctor,
    professor, actor, singer, writer, journalist, minister, mayor, captain, consultant, developer, recruiter, agent,
    sales representative, product manager, data scientist, software engineer, CEO, CTO, head of marketing, account
    executive, office assistant, electrician, pharmacist, dentist, footballer, painter, composer""".replace(
        "\n", " "
    ).split(", ")
)

BODIES = (
    "University", "State University", "College", "Teachers College", "School District", "Institute", "Academy",
    "Society", "Association", "Federation", "Council", "Authority", "Transit Authority", "Commission", "Department",
    "Ministry", "Museum", "Library", "Orchestra", "Symphony", "Festival", "Film Festival", "Jazz Festival",
    "Grand Prix", "Open", "Cup", "Championship", "Marathon", "Records", "Press", "Publishing", "Times", "Herald",
    "Gazette", "Post", "Railway", "Airlines", "Motors", "Foods", "Electric", "Energy", "Insurance", "Bank",
    "Brewery", "Group", "Holdings", "Foundation", "Trust", "Lottery", "Stock Exchange", "FC", "United", "City",
    "Rovers", "Athletic", "Campaign", "Treaty", "Accord", "Convention", "Regiment", "Division", "Brigade", "Corps",
    "Conference", "League", "Party", "Union", "Broadcasting Service", "Medical Center", "Clinic", "Theatre", "Opera",
    "Band", "Choir", "Company", "Studios", "Pictures", "Productions", "Systems", "Software", "Technologies",
    "Laboratories", "Pharma", "Day", "Independence Day", "Week", "Summit",
)  # fmt: skip
"""What a name or a place stands before in the name of something else."""

WORKS = ("album", "song", "single", "film", "movie", "novel", "book", "band", "game", "series", "show", "musical",
         "opera", "magazine", "brand", "label", "company", "chain", "track", "episode", "play", "podcast", "car", "app",
         "duo", "record", "poem", "painting", "newspaper", "club", "pub", "restaurant", "ship", "festival")  # fmt: skip
"""What is called by a name that may be a person's or a place's."""

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
