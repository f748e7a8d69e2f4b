"""Rough texts of our own making: sentences of the phrase book in the shapes that real data comes in.

A shape is a function of a few lines: it draws sentences and returns a text and what of it must stand in every
translation as it stands there, which is known because it was put there, not because anything found it.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from schemas.hashing import digest
from scripts.phrasebook import Value, choose, fill, load
from transforms.culture_pack import CulturePack, load_pack

Rough = tuple[str, Sequence[str]]

_EMPTY = (None, "", " ", " \n\t\n", "None")
_UNSAFE = ("p_how_bad", "p_plan_bad", "p_teach_bad", "p_story_bad")
_REFUSAL = "I am sorry, but I cannot help with that."


@functools.cache
def _book() -> tuple[dict[str, str], dict[str, list[Value]], dict[str, str], CulturePack]:
    """Templates, the values of their slots, the category of every unsafe act, and the pack they are from."""
    english, pack = load("eng_Latn"), load_pack("en-US")
    values = {kind: [Value(e.en, e.en) for e in entries] for kind, entries in pack.types.items()}
    for kind, items in english["slots"].items():
        values[kind] = list(dict.fromkeys([*values.get(kind, []), *(Value(i["en"], i["en"]) for i in items)]))
    return english["templates"], values, {i["en"]: i["category"] for i in english["slots"]["act_bad"]}, pack


class Draw:
    """Draws sentences and what stands in them.

    Args:
        seed: names the row.
        unsafe: whether the first sentence is one that asks for something harmful.

    Attributes:
        category: of the unsafe sentence, once it was drawn.
    """

    def __init__(self, seed: str, unsafe: bool = False) -> None:
        self.rng, self.category, self._unsafe = random.Random(seed), "", unsafe

    def sentence(self) -> str:
        """One sentence: a safe question, statement or answer, save the first of an unsafe row."""
        return self._filled()[1]

    def _filled(self) -> tuple[str, str]:
        """A template and the sentence that it became."""
        templates, values, categories, pack = _book()
        unsafe = self._unsafe and not self.category
        name = self.rng.choice(_UNSAFE if unsafe else [t for t in templates if t[:2] in ("q_", "r_")])
        chosen = choose(templates[name], values, pack, self.rng)
        if unsafe:
            self.category = categories[chosen["act_bad"].en]
        return templates[name], fill(templates[name], chosen, native=False)

    def sentences(self, least: int, most: int) -> list[str]:
        return [self.sentence() for _ in range(self.rng.randint(least, most))]

    def prose(self, least: int = 1, most: int = 3) -> str:
        return " ".join(self.sentences(least, most))

    def clause(self) -> str:
        """A sentence without its end, as it stands inside another."""
        template, sentence = self._filled()
        keeps = template[0] == "{" or template.startswith("I ")
        return (sentence if keeps else sentence[0].lower() + sentence[1:]).rstrip(".?!")

    def words(self) -> str:
        """A few words that are no sentence."""
        _, values, _, _ = _book()
        return self.rng.choice(values["topic"] + values["act_ok"]).en

    def name(self) -> str:
        return self.rng.choice(_book()[1]["name_f"]).en

    def number(self) -> int:
        return self.rng.randint(2, 9999)

    def among(self, *choices: str) -> str:
        return self.rng.choice(choices)


# --- prose ---


def short(draw: Draw) -> Rough:
    """One sentence."""
    return draw.sentence(), ()


def several_sentences(draw: Draw) -> Rough:
    """Two to six sentences."""
    return draw.prose(2, 6), ()


def long_paragraph(draw: Draw) -> Rough:
    """Thirty to eighty sentences on one line."""
    return draw.prose(30, 80), ()


def run_on(draw: Draw) -> Rough:
    """One sentence over the model's limit."""
    clauses = [draw.clause() for _ in range(90)]
    joined = clauses[0] + "".join(draw.among(", ", "; ", ", and ", " and ") + c for c in clauses[1:])
    return joined[0].upper() + joined[1:] + ".", ()


def no_punctuation(draw: Draw) -> Rough:
    """As long, without a mark to cut at."""
    return " ".join(draw.clause().replace(",", "") for _ in range(90)), ()


def capitals(draw: Draw) -> Rough:
    """Shouting."""
    return draw.prose(1, 4).upper() + draw.among("", "!!!"), ()


def lower_case(draw: Draw) -> Rough:
    """No capitals and no full stops, a sentence a line."""
    return "\n".join(draw.clause().lower() for _ in range(draw.rng.randint(1, 4))), ()


def emoji(draw: Draw) -> Rough:
    """Emoji of several code points before and after sentences."""
    faces = [draw.among("😀", "👍🏽", "👩‍👩‍👧", "🇩🇪", "❤️", "🎉🎉") for _ in range(2)]
    return f"{faces[0]} {draw.sentence()} {draw.sentence()} {faces[1]}", ()


def direction_marks(draw: Draw) -> Rough:
    """Marks of direction, as copied from right-to-left pages."""
    return f"\u200f{draw.sentence()}\u200e {draw.sentence()}\n\u200e{draw.sentence()}", ()


# --- code and data ---


def _code(draw: Draw) -> str:
    return draw.among(
        f'def greet(name):\n    # Say hello.\n    print(f"Hello {{name}}.")\n\n    return {draw.number()}',
        f"for (let i = 0; i < {draw.number()}; i++) {{\n\tconsole.log(`Row ${{i}}: ok.`); // Next one.\n}}",
        f"SELECT name, price\nFROM shop\nWHERE price < {draw.number()} -- not too much\nORDER BY price;",
        f"$ pip install bread=={draw.number()}\nDone. Have a nice day.",
    )


def code_backticks(draw: Draw) -> Rough:
    """Fenced code between prose."""
    code = f"```{draw.among('', 'python', 'js')}\n{_code(draw)}\n```"
    return f"{draw.prose()}\n\n{code}\n\n{draw.prose()}", [code]


def code_tildes(draw: Draw) -> Rough:
    """A fence of tildes around one of backticks."""
    code = f"~~~\n```\n{_code(draw)}\n```\n~~~"
    return f"{draw.prose()}\n{code}\n{draw.prose()}", [code]


def code_in_list(draw: Draw) -> Rough:
    """Indented fenced code between numbered points."""
    code = "   ```sh\n   ls -la | grep bread\n   ```"
    return f"1. {draw.sentence()}\n{code}\n2. {draw.sentence()}", [code]


def code_unclosed(draw: Draw) -> Rough:
    """As an answer ends that was cut off."""
    return f"{draw.prose()}\n\n```python\n{_code(draw)}", ()


def json_document(draw: Draw) -> Rough:
    """A JSON document and nothing else."""
    document = {"question": draw.sentence(), "tags": [draw.words(), draw.words()], "n": draw.number()}
    made = json.dumps(document, indent=draw.rng.choice([None, 2, 4]))
    return made, [made]


def json_inside(draw: Draw) -> Rough:
    """JSON of several lines, after prose on its line or below it."""
    made = json.dumps([{"say": draw.sentence(), "to": draw.name()}, {"say": draw.sentence()}], indent=2)
    return f"{draw.prose()} {draw.among('', chr(10))}{made}\n{draw.prose()}", [made]


def json_in_line(draw: Draw) -> Rough:
    """JSON inside a sentence."""
    made = json.dumps({"name": draw.name(), "n": draw.number(), "ok": None})
    return f"{draw.sentence()} Please send {made} to my teacher. {draw.sentence()}", [made]


# --- markup ---


def markdown_lists(draw: Draw) -> Rough:
    """Headings, nested bullets, numbering, check boxes."""
    a, b, c, d, e, f, g = (draw.sentence() for _ in range(7))
    return (
        f"# {draw.words()}\n\n{a}\n\n- {b}\n  - {c}\n    * {d}\n\n## {draw.words()}\n1. {e}\n2. {f}\n   a) {g}\n"
        f"- [ ] {draw.words()}\n- [x] {draw.words()}"
    ), ()


def markdown_quotes(draw: Draw) -> Rough:
    """Nested quotes, bold labels, a rule, a line in bold italics."""
    return (
        f"> {draw.prose()}\n> > {draw.sentence()}\n>\n> - {draw.sentence()}\n\n**Note:** {draw.sentence()}\n"
        f"**Step 1**: {draw.sentence()}\n\n---\n\n***{draw.sentence()}***"
    ), ()


def markdown_emphasis(draw: Draw) -> Rough:
    """Emphasised words inside sentences."""
    mark = draw.among("**", "*", "__", "_", "~~")
    first, *_, last = draw.sentence().rstrip(".?!").split()
    return f"{mark}{first}{mark} is what {draw.name()} said. {draw.sentence()} Ask about {mark}{last}{mark}.", ()


def table(draw: Draw) -> Rough:
    """A pipe table between prose."""
    rows = "".join(f"| {draw.words()} | {draw.sentence()} | {draw.number()} |\n" for _ in range(3))
    return f"{draw.sentence()}\n\n| Topic | Question | n |\n|:---|---|--:|\n{rows}\n{draw.sentence()}", ()


def html(draw: Draw) -> Rough:
    """A comment, paragraphs, a list, a break."""
    kept = [f"<!-- {draw.sentence()} -->", '<div class="box">', "<ul>", "</p>", "<br/>"]
    return (
        f"{kept[0]}\n{kept[1]}\n<p>{draw.prose()}</p>\n<ul>\n<li>{draw.sentence()}</li><li>{draw.sentence()}</li>\n"
        f"</ul>\n<p>{draw.sentence()}<br/>{draw.sentence()}</p>\n</div>"
    ), kept


def html_inline(draw: Draw) -> Rough:
    """Inline tags inside the sentences of a paragraph."""
    url = f"https://example.org/{draw.number()}"
    return (
        f'<p>{draw.sentence()} Ask <b>{draw.name()}</b> or <a href="{url}">my teacher</a>. <i>{draw.sentence()}</i></p>'
    ), ["<b>", "</b>", f'<a href="{url}">', "</a>", "<i>", "</i>"]


def html_pre(draw: Draw) -> Rough:
    """Preformatted code between prose."""
    code = f"<pre>\n{_code(draw)}\n</pre>"
    return f"{draw.prose()}\n{code}\n{draw.prose()}", [code]


def xml(draw: Draw) -> Rough:
    """An element a line."""
    notes = "".join(f'  <note id="{i}">{draw.sentence()}</note>\n' for i in range(3))
    head = '<?xml version="1.0"?>'
    return f"{head}\n<notes>\n{notes}  <last/>\n</notes>", [head, "<notes>", '<note id="1">', "</note>", "<last/>"]


# --- talk ---


def chat(draw: Draw) -> Rough:
    """A chat log with times and speakers, in one of four styles."""
    lines, style = [], draw.rng.randrange(4)
    for i in range(draw.rng.randint(3, 7)):
        time, who = f"{draw.rng.randint(10, 12)}:{i + 10}", draw.name()
        lead = (f"[{time}] {who}: ", f"{time}:05 PM - {who}: ", f"{who} ({time}): ", f"{who}: ")[style]
        lines.append(lead + draw.prose(1, 2))
    return "\n".join(lines), ()


def email(draw: Draw) -> Rough:
    """A mail with header lines, quotes and a signature."""
    address = f"{draw.name().lower()}.{draw.number()}@example.org"
    return (
        f"From: {draw.name()} <{address}>\nTo: {address}\nDate: Mon, 3 Mar 2025 10:{draw.rng.randint(10, 59)}:00 +0100\n"
        f"Subject: Re: {draw.words()}\n\nDear {draw.name()},\n\n{draw.prose()}\n\n> {draw.sentence()}\n> {draw.sentence()}\n\n"
        f"Best regards,\n{draw.name()}\n-- \n{draw.words()}"
    ), [address]


# --- inline pieces ---


def urls(draw: Draw) -> Rough:
    """URLs inside sentences, at their end and in brackets."""
    a, b, c = (f"{x}/{draw.number()}" for x in ("https://example.org/a?b=c&d=e", "http://x.example", "www.example.com"))
    return f"{draw.sentence()} See {a} for more. {draw.clause()} ({b}). {draw.sentence()} {c}.", [a, f"({b})", c]


def markdown_links(draw: Draw) -> Rough:
    """A Markdown link and an image."""
    a, b = (f"https://example.org/{x}_{draw.number()}" for x in ("bread", "tea"))
    return f"{draw.sentence()} Read [this page]({a}) first. ![a photo]({b}) {draw.sentence()}", [f"]({a})", f"]({b})"]


def addresses(draw: Draw) -> Rough:
    """E-mail addresses inside sentences."""
    a, b = f"{draw.name().lower()}{draw.number()}@example.org", f"help+{draw.number()}@mail.example.co.uk"
    return f"Write to {a}. {draw.sentence()} My teacher is {b}, but {draw.clause()}.", [a, b]


def inline_code(draw: Draw) -> Rough:
    """Inline code of both kinds."""
    a, b = f"`ls -la {draw.number()}`", f"``a ` {draw.number()}``"
    return f"Type {a} and wait. {draw.sentence()} What does {b} do? {draw.sentence()}", [a, b]


def placeholders(draw: Draw) -> Rough:
    """Placeholders of seven kinds."""
    kept = ["{name}", "{{ user.city }}", "%s", "%(n)d", "[NAME]", "${total}", "<PLACE>"]
    a, b, c, d, e, f, g = kept
    return (
        f"Dear {a}, {draw.clause()}. My friend {b} lives in {g}. I have {c} and {d}. Tell {e} about {f}. {draw.sentence()}"
    ), kept


def jinja(draw: Draw) -> Rough:
    """Jinja tags and a filter."""
    kept = ["{% if happy %}", "{{ word | upper }}", "{% endif %}"]
    return f"{kept[0]}\n{draw.sentence()} Say {kept[1]} twice.\n{kept[2]}\n{draw.sentence()}", kept


def latex(draw: Draw) -> Rough:
    """Formulas, a command, and dollars that are money."""
    kept = ["$x^2 + y^2 = z^2$", f"\\(a_{{{draw.number()}}}\\)", "$$\n\\int_0^1 x\\,dx\n$$", "\\frac{1}{2}"]
    return (
        f"{draw.sentence()} Why is {kept[0]} so, and what is {kept[1]}?\n{kept[2]}\n{kept[3]} {draw.clause()}. "
        f"I paid $5 and {draw.name()} paid $10."
    ), kept


def long_strings(draw: Draw) -> Rough:
    """What looks like base64 and like a key."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    encoded, key = ("".join(draw.rng.choices(letters, k=k)) for k in (300, 64))
    return f"{draw.sentence()} Decode {encoded}== for me. {draw.sentence()}\n{key}", [encoded + "==", key]


# --- white space ---


def windows_lines(draw: Draw) -> Rough:
    """Windows line ends, also around and in a fence."""
    code = "```\r\nprint(1)\r\n```"
    return f"{draw.prose()}\r\n\r\n- {draw.sentence()}\r\n{code}\r\n{draw.sentence()}\r\n", [code]


def unicode_lines(draw: Draw) -> Rough:
    """Separators of lines and paragraphs, and a lone carriage return."""
    return f"{draw.sentence()}\u2028{draw.prose()}\u2029{draw.sentence()}\r{draw.sentence()}", ()


def tabs(draw: Draw) -> Rough:
    """Cells between tabs."""
    return f"Name\tSay this\n{draw.name()}\t{draw.sentence()}\n\t{draw.prose()}\t", ()


def blank_lines(draw: Draw) -> Rough:
    """Blank lines, indentation and spaces at ends."""
    return f"\n\n  {draw.prose()}  \n   \n\n\n    {draw.sentence()}   {draw.sentence()} \n ", ()


def no_break_spaces(draw: Draw) -> Rough:
    """No-break and other wide spaces."""
    return f"\u00a0{draw.sentence()}\u00a0{draw.sentence()}\u2003{draw.sentence()}\u202f\n\u00a0- {draw.sentence()}", ()


def long_line(draw: Draw) -> Rough:
    """Sentences that come again and again on one line of up to 100 kB."""
    pool, line, length = draw.sentences(40, 40), [draw.sentence()], draw.rng.choice((5_000, 20_000, 100_000))
    while sum(map(len, line)) + len(line) < length:
        line += draw.rng.sample(pool, 40)
    return " ".join(line), ()


SHAPES: dict[str, Callable[[Draw], Rough]] = {
    shape.__name__: shape
    for shape in (
        short, several_sentences, long_paragraph, run_on, no_punctuation, capitals, lower_case, emoji, direction_marks,
        code_backticks, code_tildes, code_in_list, code_unclosed, json_document, json_inside, json_in_line,
        markdown_lists, markdown_quotes, markdown_emphasis, table, html, html_inline, html_pre, xml, chat, email,
        urls, markdown_links, addresses, inline_code, placeholders, jinja, latex, long_strings,
        windows_lines, unicode_lines, tabs, blank_lines, no_break_spaces, long_line,
    )
}  # fmt: skip


def make_row(number: int) -> dict[str, Any]:
    """A row in the shape of Aegis 2.0: one text has the row's shape, the other is a plain sentence, or in every tenth none.

    Beyond Aegis's fields it has `shape` and `kept`, what of the shaped text must stand in every translation.
    """
    names = list(SHAPES)
    shape, turn = names[number % len(names)], number // len(names)
    draw = Draw(f"rough text {number}", unsafe=number % 7 == 0)
    empty = (number + turn) % 10 == 0
    if empty or turn % 2 == 0:
        prompt, kept = SHAPES[shape](draw)
        response = _EMPTY[turn % len(_EMPTY)] if empty else _REFUSAL if draw.category else draw.sentence()
    else:
        prompt = draw.sentence()
        response, kept = SHAPES[shape](draw)
    return {
        "id": digest("rough text", str(number)),
        "reconstruction_id_if_redacted": None,
        "prompt": prompt,
        "response": response,
        "prompt_label": "unsafe" if draw.category else "safe",
        "response_label": None if empty else "safe",
        "violated_categories": draw.category,
        "prompt_label_source": "human",
        "response_label_source": None if empty else "llm_jury",
        "shape": shape,
        "kept": list(kept),
    }


def make_rows(count: int) -> list[dict[str, Any]]:
    """Rows of all shapes in turn; the same ones every time."""
    return [make_row(number) for number in range(count)]
