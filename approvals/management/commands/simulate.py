"""A year of offices in simulated time: what if there were two more reviewers?"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from approvals.simulation import Figures, Plan, broken, compared, figures, live, picture, scratch, table

# An office and what if: the plan, the database it happens in, what it is called.
Task = tuple[Plan, str, int, str]
Outcome = tuple[str, Figures, dict[str, list[str]], dict[str, int], str]


class Command(BaseCommand):
    help = (
        "Simulates offices for so many days in databases of their own, which are dropped afterwards, and prints how "
        "late decisions were, how long the queue and how loaded the reviewers. Ends with status 1 when an invariant "
        "does not hold."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=365)
        parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same year")
        parser.add_argument("--requests", type=int, default=20_000, help="in all offices together (20000)")
        parser.add_argument("--offices", type=int, default=2, choices=(1, 2, 3))
        parser.add_argument("--staff", type=int, default=0, help="reviewers of each office; 0: as many as it takes")
        parser.add_argument("--reviewers", type=int, default=0, help="+2: what if each office had two more, compared")
        parser.add_argument("--absence", type=_share, default=0.1, help="10%%: of their working days people are away")
        parser.add_argument("--out", type=Path, help="a folder for the table and the picture")
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)

    def handle(self, *, requests: int, offices: int, reviewers: int, out: Path | None, **options: Any) -> None:
        try:
            plans = self._plans(requests, offices, options)
            names = {"As it is": plans}
            if reviewers:
                names[f"With {reviewers:+d} reviewers in each office"] = [
                    plan.with_more_reviewers(reviewers) for plan in plans
                ]
        except ValueError as refused:
            raise CommandError(str(refused)) from refused
        began = time.monotonic()
        found = self._lived(names, options["processes"])
        seconds = time.monotonic() - began
        years = [self._together(name, found) for name in names]
        text = "\n\n".join([*map(table, years), *(compared(years[0], other) for other in years[1:])])
        self.stdout.write(f"{text}\n")
        for name, _figures, _broken, tries, done in found:
            tried = ", ".join(f"{verb} {times:,}" for verb, times in sorted(tries.items()))
            self.stdout.write(f"{name}: {done}; refused to people: {tried or 'nothing'}")
        self.stdout.write(f"{requests * len(names):,} requests in {seconds:,.0f} s")
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            (out / "simulation.txt").write_text(text + "\n", encoding="utf-8")
            title = f"Days: {options['days']}, requests: {requests:,}, offices: {offices}, seed: {options['seed']}"
            (out / "simulation.svg").write_text(picture.draw(years, title=title), encoding="utf-8")
            self.stdout.write(f"{out / 'simulation.svg'} shows it.")
        self._judge(found)

    def _plans(self, requests: int, offices: int, options: dict[str, Any]) -> list[Plan]:
        each = Plan(
            days=options["days"], requests=requests // offices, seed=options["seed"], absence=options["absence"]
        )
        # A reviewer gets through about eight cases a day, and is there on some 220 days of a year.
        wanted = options["staff"] or max(2, round(each.requests / each.days * 365 / 1_750))
        each = replace(each, reviewers=wanted, seniors=max(2, round(wanted / 3)))
        return [
            replace(each, office=number, requests=each.requests + (number < requests % offices))
            for number in range(offices)
        ]

    def _lived(self, names: dict[str, list[Plan]], processes: int) -> list[Outcome]:
        settings.DEBUG = False  # which would keep every query in memory
        with _cleared_up_when_stopped(), scratch.template() as template:
            plans = [(plan, name) for name, group in names.items() for plan in group]
            tasks = [(plan, template, number, name) for number, (plan, name) in enumerate(plans)]
            connections.close_all()  # a process that is forked must not share them
            if processes < 2:
                return [_live(task) for task in tasks]
            with multiprocessing.get_context("fork").Pool(processes, _leave_it_to_the_parent, (), 1) as pool:
                return list(self._watched(pool.imap(_live, tasks), len(tasks)))

    def _watched(self, outcomes: Iterable[Outcome], total: int) -> Iterable[Outcome]:
        for number, outcome in enumerate(outcomes, 1):
            if self.stdout.isatty():
                self.stdout.write(f"{number} of {total} offices lived: {outcome[4]}")
                self.stdout.flush()
            yield outcome

    def _together(self, name: str, found: list[Outcome]) -> Figures:
        first, *others = [each for of, each, *_rest in found if of == name]
        for other in others:
            first = first.beside(other)
        return first

    def _judge(self, found: list[Outcome]) -> None:
        wrong = [
            f"{name}: {rule}: {line}"
            for name, _f, rules, *_r in found
            for rule, lines in rules.items()
            for line in lines
        ]
        if wrong:
            raise CommandError("These must hold and do not:\n" + "\n".join(wrong))
        self.stdout.write("Every invariant holds.")


@contextmanager
def _cleared_up_when_stopped() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the command by way of its `finally`s, which drop the databases; once they do, a second
    signal does not keep them from it. The status is that of a program that was ended by the signal."""
    if threading.current_thread() is not threading.main_thread():  # where signals cannot be had
        yield
        return

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_it_to_the_parent() -> None:
    """In a process of the pool: Ctrl-C reaches it, too, and is the parent's; SIGTERM comes from the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _progress(number: int) -> Callable[[float], None]:
    """A line at a terminal for every tenth of an office's year; nothing where the output goes elsewhere."""
    shown = 0

    def show(done: float) -> None:
        nonlocal shown
        if sys.stderr.isatty() and int(done * 10) > shown:
            shown = int(done * 10)
            sys.stderr.write(f"office {number + 1}: {shown * 10} %\n")

    return show


def _live(task: Task) -> Outcome:
    plan, template, number, name = task
    made = scratch.copy(template, number)
    began = time.monotonic()
    try:
        with scratch.connected(made):
            lived = live(plan, progress=_progress(number))
            lived_for = time.monotonic() - began
            found = figures.of(lived, name=name)
            wrong = broken(lived.ended_at)
            checked_for = time.monotonic() - began - lived_for
    finally:
        scratch.drop(made)
    done = (
        f"office {plan.office + 1}, {lived.started:,} requests, {lived.steps:,} steps of clocks in {lived.sweeps:,} "
        f"sweeps, lived in {lived_for:,.0f} s, checked in {checked_for:,.0f} s"
    )
    return name, found, wrong, dict(lived.refused), done


def _share(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no share: write 10%") from error
