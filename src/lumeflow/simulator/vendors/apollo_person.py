"""A person as Apollo describes one, with everything that may be missing missing now and then."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lumeflow.simulator.hashing import Dice, hashed, hex_id
from lumeflow.simulator.people.names import DEGREES, FORMER_TITLES, INDUSTRIES
from lumeflow.simulator.people.person import (
    Employment,
    address_of,
    company_at,
    domain_of,
    employment_of,
    fictional_number,
    folded,
    invented_name,
    slug,
)

PLACEHOLDER_EMAIL = "email_not_unlocked@domain.com"

# Keys that every entry has, and that are null in nearly all.
_NEVER = (
    "description", "degree", "kind", "emails", "major", "grade_level", "raw_address", "created_at", "updated_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """Whom a request asks for; empty strings for what it does not say.

    Attributes:
        first: Given name.
        last: Family name.
        email: E-mail address, lower case.
        hashed_email: Hash of one.
        company: Name of the employer.
        domain: Domain of the employer.
        linkedin: Address of a LinkedIn profile.
        person: Apollo's id of the person.
        personal: True if personal addresses are asked for.
    """

    first: str = ""
    last: str = ""
    email: str = ""
    hashed_email: str = ""
    company: str = ""
    domain: str = ""
    linkedin: str = ""
    person: str = ""
    personal: bool = False

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Query":
        """Read the fields of a match request, or of one entry of a bulk request."""

        def text(name: str) -> str:
            value = fields.get(name)
            return value.strip() if isinstance(value, str) else ""

        first, last = text("first_name"), text("last_name")
        if not (first and last) and text("name"):
            first, _, last = text("name").partition(" ")
        return cls(
            first, last, text("email").lower(), text("hashed_email").lower(), text("organization_name"),
            text("domain").lower(), text("linkedin_url"), text("id"),
            fields.get("reveal_personal_emails") in (True, "true"),
        )  # fmt: skip

    @property
    def profile(self) -> str:
        """What names exactly one person."""
        return self.linkedin or self.person

    def strong(self) -> bool:
        """True if it says more than a name."""
        name = bool(self.first and self.last)
        return "@" in self.email or bool(self.hashed_email or self.profile or (name and (self.company or self.domain)))

    def weak(self) -> bool:
        """True if it is a full name and nothing else."""
        return bool(self.first and self.last) and not self.strong()

    def identity(self) -> str:
        """Text that is the same for every way of asking for the same person with the same key."""
        if self.email or self.hashed_email or self.profile:
            return self.email or self.hashed_email or slug(self.profile)
        return "/".join((folded(self.first), folded(self.last), slug(self.company), self.domain))


def person_of(seed: int, query: Query) -> dict[str, Any]:
    """The `person` of a match answer."""
    key = query.identity()
    dice, rare = Dice(seed, "apollo-person", key), Dice(seed, "apollo-rare", key)
    first, last = _name(query, dice)
    work = _work(seed, query, first, last)
    organization_id, person_id = hex_id(seed, "organization", work.company), query.person or hex_id(seed, "person", key)
    email, status = _email(query, dice, first, last, work)
    city, state, country = work.place
    person: dict[str, Any] = {
        "id": person_id,
        "first_name": first, "last_name": last, "name": f"{first} {last}",
        "linkedin_url": _linkedin(query, rare, first, last),
        "title": work.title, "headline": f"{work.title} at {work.company}",
        "email": email, "email_status": status, "extrapolated_email_confidence": None,
        "photo_url": None, "twitter_url": None, "github_url": None, "facebook_url": None,
        "organization_id": organization_id,
        "employment_history": _history(seed, key, work, organization_id),
        "city": city, "state": state, "country": country,
        "organization": _organization(work, organization_id, query.domain, rare),
        "seniority": work.seniority, "departments": [work.department], "subdepartments": [],
        "functions": [work.department],
        "revealed_for_current_team": True, "is_likely_to_engage": rare.chance(0.3), "show_intent": False,
    }  # fmt: skip
    if rare.chance(0.4):
        person |= _contact(seed, person, rare)
    if query.personal and rare.chance(0.5):
        person["personal_emails"] = [address_of(first, "", "example.net")]
    if rare.chance(0.3):
        person["match_confidence"] = rare.pick(("high", "medium", "low"))
    return person


def request_id(seed: int, identity: str) -> int:
    """A signed 64-bit number, negative in half of all cases."""
    return hashed(seed, "apollo-request", identity) % (1 << 64) - (1 << 63)


def _name(query: Query, dice: Dice) -> tuple[str, str]:
    invented = invented_name(dice)
    if query.first and query.last:
        return query.first, query.last
    words = [word.capitalize() for word in query.email.partition("@")[0].replace("_", ".").split(".") if word]
    return (words[0], words[-1]) if len(words) > 1 else invented


def _linkedin(query: Query, dice: Dice, first: str, last: str) -> str | None:
    handle = None if dice.chance(0.1) else f"{slug(first)}-{slug(last)}-example"
    _, profile, asked = query.linkedin.partition("linkedin.com/in/")
    if profile:
        handle = asked.strip("/")
    return f"http://www.linkedin.com/in/{handle}" if handle else None


def _work(seed: int, query: Query, first: str, last: str) -> Employment:
    own = employment_of(seed, first, last)
    domain = query.domain or query.email.partition("@")[2]
    company = query.company or company_at(domain)
    if not company:
        return own
    return Employment(company, domain_of(company), own.title, own.seniority, own.department, own.place)


def _email(query: Query, dice: Dice, first: str, last: str, work: Employment) -> tuple[str | None, str | None]:
    if query.email:
        return query.email, dice.pick(("verified", "verified", "likely to engage", "unverified"))
    drawn = dice.below(100)
    if drawn < 72:
        return address_of(first, last, work.domain), "verified" if drawn < 60 else "extrapolated"
    return (PLACEHOLDER_EMAIL, "unavailable") if drawn < 80 else (None, None)


def _history(seed: int, key: str, work: Employment, organization_id: str) -> list[dict[str, Any]] | None:
    dice = Dice(seed, "apollo-history", key)
    if dice.chance(0.06):
        return [] if dice.below(2) else None
    year = 2016 + dice.below(8)
    now = {"title": work.title, "organization_name": work.company, "organization_id": organization_id}
    jobs = [{**now, "start_date": f"{year}-05-01", "end_date": None}]
    for number in range(1, 1 + dice.below(3)):
        start = year - 3 * number
        former = employment_of(seed, key, str(number)).company
        dates = {"start_date": f"{start}-01-01", "end_date": f"{start + 3}-04-01"}
        jobs.append({"title": dice.pick(FORMER_TITLES), "organization_name": former, "organization_id": None, **dates})
    if dice.chance(0.05):
        second = {"title": "Advisor", "organization_name": employment_of(seed, key, "second").company}
        jobs.append({**second, "organization_id": None, "start_date": f"{year}-09-01", "end_date": None})
    if dice.chance(0.25):
        jobs.append(_study(dice, year - 12))
    return [_entry(hex_id(seed, "job", key, str(index)), job) for index, job in enumerate(jobs)]


def _study(dice: Dice, year: int) -> dict[str, Any]:
    return {
        "title": None, "organization_name": "Example University", "organization_id": None,
        "start_date": f"{year}-10-01", "end_date": f"{year + 3}-07-01",
        "degree": dice.pick(DEGREES), "kind": "education", "major": "Economics",
    }  # fmt: skip


def _entry(own_id: str, job: Mapping[str, Any]) -> dict[str, Any]:
    ids = {"_id": own_id, "id": own_id, "key": own_id, "current": job["end_date"] is None}
    return {**ids, **dict.fromkeys(_NEVER), **job}


def _organization(work: Employment, organization_id: str, domain: str, dice: Dice) -> dict[str, Any]:
    return {
        "id": organization_id, "name": work.company, "website_url": f"http://www.{work.domain}",
        "primary_domain": domain or work.domain, "linkedin_url": f"http://www.linkedin.com/company/{slug(work.company)}",
        "industry": dice.pick(INDUSTRIES), "estimated_num_employees": 5 + dice.below(2000),
        "primary_phone": {}, "phone": None,
    }  # fmt: skip


def _contact(seed: int, person: Mapping[str, Any], dice: Dice) -> dict[str, Any]:
    """What the team itself has saved about the person, with or without a number."""
    contact_id = hex_id(seed, "contact", person["id"])
    raw = fictional_number(dice)
    numbers = [
        {
            "raw_number": raw, "sanitized_number": "+" + "".join(filter(str.isdigit, raw)), "type": None,
            "position": 0, "status": "valid_number", "dnc_status": None, "dnc_other_info": None, "dialer_flags": None,
        }
    ] if dice.chance(0.75) else []  # fmt: skip
    address = person["email"] if person["email"] != PLACEHOLDER_EMAIL else None
    emails = [{"email": address, "email_status": person["email_status"], "position": 0}] if address else []
    contact = {
        "id": contact_id, "person_id": person["id"],
        "first_name": person["first_name"], "last_name": person["last_name"],
        "email": address, "email_status": person["email_status"] if address else None,
        "sanitized_phone": numbers[0]["sanitized_number"] if numbers else None,
        "phone_numbers": numbers, "contact_emails": emails,
    }  # fmt: skip
    return {"contact_id": contact_id, "contact": contact}
