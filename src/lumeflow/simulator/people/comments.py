"""Comments under a post. Each follows from the seed, the post's address and its index, so none is ever stored."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lumeflow.simulator.hashing import Dice
from lumeflow.simulator.people.names import PLACES
from lumeflow.simulator.people.person import (
    EXAMPLE_DOMAINS,
    address_of,
    employment_of,
    fictional_number,
    invented_name,
    username_of,
)

CONTACT_SHARE = 0.60
"""Share of comments in which the author asks to be contacted."""

NEWEST = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
"""No comment is younger than this."""

_OLDEST_SECONDS = 180 * 24 * 3600

WITH_EMAIL = (
    "Hi, I work at {company}. Could you write to me at {email}?",
    "Do you also sell to businesses? My address is {email}, I work for {company}.",
    "We are interested! Please e-mail me: {email}",
    "Great offer. Contact me at {email} and I will tell you what we need at {company}.",
    "My name is {name}, please send the catalogue to {email} 🙏",
    "Lavoro per {company}, scrivetemi a {email} per un preventivo.",
    "Mi chiamo {name}. Mi mandate il listino? {email}",
    "Trabajo en {company} y quiero saber el precio por mayor. Escríbanme a {email}, gracias.",
    "Ich arbeite bei {company} – schreibt mir bitte an {email}.",
    "Je travaille chez {company}, écrivez-moi à {email} s'il vous plaît.",
    "Trabalho na {company}, podem enviar o orçamento para {email}?",
    "Pracuję w {company}, napiszcie do mnie: {email}",
    "{company} için çalışıyorum, bana yazın: {email}",
    "Jag jobbar på {company}. Hör av er till {email}!",
)
WITH_PHONE = (
    "I work at {company} and this is exactly what we need. Call me: {phone}",
    "Can somebody call me on {phone}? It is urgent.",
    "Chiamatemi al {phone}, lavoro per {company}.",
    "Llámenme al {phone} por favor, trabajo en {company}.",
    "Ich arbeite bei {company}, erreichbar unter {phone}.",
    "Bel me even op {phone}, ik werk bij {company}.",
)
WITH_BOTH = (
    "My name is {name} from {company}: {email} or {phone}, whatever suits you.",
    "I work for {company}. Reach me at {email}, or on {phone} after five.",
)
WITHOUT = (
    "Do you deliver to {city}? I work at {company} and we order every Friday. Please get in touch!",
    "I work for {company}, who is the right person to talk to about a partnership?",
    "I work at {company} and we would love to stock this. Message me!",
    "Lavoro per {company}, contattatemi per una collaborazione.",
    "Trabajo en {company}, ¿me pueden contactar?",
    "Ich arbeite bei {company}. Meldet euch gerne, wir suchen Lieferanten.",
    "Je travaille chez {company}, contactez-moi pour une commande.",
)
CHATTER = (
    "Love it! 😍", "So beautiful", "How much is the blue one?", "Is this still available?", "Which size is this?",
    "Been there last summer, would go again.", "Not for me, sorry.", "Happy birthday to the whole team!",
    "Bellissimo!", "Che bello 😊", "¡Qué maravilla!", "¿Cuánto cuesta?", "Wunderschön!", "Gibt es das auch in Grün?",
    "Magnifique", "C'est combien ?", "Que lindo!", "Ile to kosztuje?", "Çok güzel", "Så fint!", "Mooi hoor",
    "First!", "Waiting for the restock since {month}…", "My sister has one and never puts it down.",
    "The photos are stunning, who took them?", "Do you ship to {city}?", "👏👏👏", "This made my {weekday}.",
)  # fmt: skip

_MONTHS = ("January", "March", "May", "June", "September", "October")
_WEEKDAYS = ("Monday", "Tuesday", "Thursday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, in no network's shape yet.

    Attributes:
        number: 64-bit number from which the networks' ids are made.
        first: Given name of the author.
        last: Family name of the author.
        username: `mira.holt`.
        text: What was written; empty for a sticker or an image.
        posted_at: Aware time in UTC, whole seconds.
        likes: Number of likes.
        dice: Further choices about this comment, such as which fields are missing.
    """

    number: int
    first: str
    last: str
    username: str
    text: str
    posted_at: datetime
    likes: int
    dice: Dice


def comment_at(seed: int, url: str, index: int, kind: str = "comment") -> Comment:
    """The comment number `index` (from 0) under the post at `url`.

    Args:
        seed: Seed of the simulator.
        url: The post.
        index: Position under the post.
        kind: `comment`, or `reply` for the reply to that comment.
    """
    dice = Dice(seed, kind, url, str(index))
    number = dice.below(1 << 64)
    first, last = invented_name(dice)
    posted_at = NEWEST - timedelta(seconds=dice.below(_OLDEST_SECONDS))
    likes = dice.below(40) if dice.chance(0.4) else 0
    text = "" if dice.chance(0.02) else _text(seed, dice, first, last)
    return Comment(number, first, last, username_of(first, last), text, posted_at, likes, dice)


def _text(seed: int, dice: Dice, first: str, last: str) -> str:
    if not dice.chance(CONTACT_SHARE):
        return dice.pick(CHATTER).format(
            month=dice.pick(_MONTHS), weekday=dice.pick(_WEEKDAYS), city=dice.pick(PLACES)[0]
        )
    work = employment_of(seed, first, last)
    domain = work.domain if dice.chance(0.5) else dice.pick(EXAMPLE_DOMAINS)
    template = dice.pick(_kind(dice.below(100)))
    return template.format(
        name=f"{first} {last}",
        company=work.company,
        email=address_of(first, last, domain),
        phone=fictional_number(dice) if "{phone}" in template else "",
        city=work.place[0],
    )


def _kind(percent: int) -> tuple[str, ...]:
    """Half of those who want an answer give an address, a quarter a number."""
    if percent < 44:
        return WITH_EMAIL
    if percent < 52:
        return WITH_BOTH
    if percent < 70:
        return WITH_PHONE
    return WITHOUT
