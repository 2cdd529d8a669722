"""The fields of the report on a major incident, by annex I of implementing regulation (EU) 2025/302: number and name."""

GENERAL = {
    "1.1": "Type of submission", "1.2": "Name of the entity submitting the report",
    "1.3": "Identification code of the entity submitting the report", "1.4": "Type of the affected financial entity",
    "1.5": "Name of the affected financial entity", "1.6": "LEI code of the affected financial entity",
    "1.7": "Primary contact person: name", "1.8": "Primary contact person: e-mail", "1.9": "Primary contact person: telephone",
    "1.10": "Second contact person: name", "1.11": "Second contact person: e-mail", "1.12": "Second contact person: telephone",
    "1.13": "Name of the ultimate parent undertaking", "1.14": "LEI code of the ultimate parent undertaking",
    "1.15": "Reporting currency",
}
INITIAL = {
    "2.1": "Incident reference code assigned by the financial entity", "2.2": "Date and time of detection of the incident",
    "2.3": "Date and time of classification of the incident as major", "2.4": "Description of the incident",
    "2.5": "Classification criteria that triggered the report", "2.6": "Materiality thresholds: geographical spread",
    "2.7": "Discovery of the incident",
    "2.8": "Whether the incident originates from a third-party provider or another financial entity",
    "2.9": "Activation of a business continuity plan", "2.10": "Other relevant information",
}
INTERMEDIATE = {
    "3.1": "Incident reference code provided by the competent authority", "3.2": "Date and time of occurrence of the incident",
    "3.3": "Date and time when services, activities or operations were recovered", "3.4": "Number of clients affected",
    "3.5": "Percentage of clients affected", "3.6": "Number of financial counterparts affected",
    "3.7": "Percentage of financial counterparts affected", "3.8": "Impact on relevant clients or financial counterparts",
    "3.9": "Number of affected transactions", "3.10": "Percentage of affected transactions",
    "3.11": "Value of affected transactions", "3.12": "Whether these numbers are actual or estimates",
    "3.13": "Reputational impact", "3.14": "Context of the reputational impact", "3.15": "Duration of the incident",
    "3.16": "Service downtime", "3.17": "Whether duration and downtime are actual or estimates",
    "3.18": "Types of impact in the Member States", "3.19": "Description of the impact in other Member States",
    "3.20": "Materiality thresholds: data losses", "3.21": "Description of the data losses",
    "3.22": "Classification criterion: critical services affected", "3.23": "Type of the incident",
    "3.24": "Other types of incidents", "3.25": "Threats and techniques used by the threat actor",
    "3.26": "Other types of techniques", "3.27": "Affected functional areas and business processes",
    "3.28": "Whether infrastructure components supporting business processes are affected",
    "3.29": "Affected infrastructure components supporting business processes",
    "3.30": "Impact on the financial interest of clients", "3.31": "Reporting to other authorities",
    "3.32": "Which other authorities", "3.33": "Temporary actions or measures taken, or planned, to recover",
    "3.34": "Description of temporary actions and measures", "3.35": "Indicators of compromise",
}
FINAL = {
    "4.1": "High-level classification of root causes", "4.2": "Detailed classification of root causes",
    "4.3": "Additional classification of root causes", "4.4": "Other types of root causes",
    "4.5": "Information about the root causes", "4.6": "Resolution of the incident",
    "4.7": "Date and time when the root cause was addressed", "4.8": "Date and time when the incident was resolved",
    "4.9": "Whether the date of permanent resolution differs from the one first planned",
    "4.10": "Assessment of risk to critical functions for resolution purposes",
    "4.11": "Information relevant for resolution authorities", "4.12": "Materiality thresholds: economic impact",
    "4.13": "Gross direct and indirect costs and losses", "4.14": "Financial recoveries",
    "4.15": "Whether non-major incidents have been recurring", "4.16": "Date and time of occurrence of recurring incidents",
}
FIELDS = GENERAL | INITIAL | INTERMEDIATE | FINAL
SUBMISSIONS = {"initial": ("1.", "2."), "intermediate": ("1.", "2.", "3."), "final": ("1.", "2.", "3.", "4.")}
