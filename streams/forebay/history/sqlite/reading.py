"""What is in the file? Found by an index each; what takes longer than two seconds is cut off, and says so.

A reader has a connection of its own that cannot write, and may be used from one thread at a time.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from forebay.contract.ids import returned_id
from forebay.history.packing import counts_of, numbers_of, packed_id, unpacked_id
from forebay.history.sqlite import schema, spans
from forebay.history.sqlite.choosing import chosen, known
from forebay.history.sqlite.names import Kind, Names
from forebay.history.sqlite.opening import open_for_reading
from forebay.history.sqlite.rows import DEGRADED, ESCALATED, ESTIMATED, PARTS, UNPRICED, RequestRow, accepted_at
from forebay.history.sqlite.sums import HOUR, MINUTE, MINUTE_MS
from forebay.history.store import HistoryError
from forebay.history.views import Call, KeptRequest, Letter, Page, Point, Story, Verdict, Wanted

LONGEST_S = 2.0
_LOOK_EVERY = 10_000
"""Steps of SQLite's machine between two looks at the clock: some 0.1 ms."""
_LINE = "rowid, id, at, tenant, user, status, error, source, tier, model, total_ms, cost"
_GROUPS = ("tenant", "status", "error", "source", "tier")


class SqliteReader:
    """Reads the history; for the length of a ``with``.

    Args:
        longest_s: after so long a question is cut off.

    Raises:
        HistoryError: there is no file, or it is of another version.
    """

    def __init__(self, path: Path, longest_s: float = LONGEST_S) -> None:
        self._database = open_for_reading(path)
        self._names = Names(self._database)
        self._longest_s = longest_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def as_of(self) -> int | None:
        """When the newest request was answered that is there, ms since the epoch."""
        found: int | None = self._database.execute("SELECT max(at) FROM requests").fetchone()[0]
        return found

    def story(self, request_id: str) -> Story | None:
        """All of one request; ``None``: it is not there. Raises :class:`HistoryError`: it took too long."""
        key = packed_id(returned_id(request_id))
        with self._bounded():
            columns = ", ".join(schema.REQUEST)
            found = self._database.execute(f"SELECT rowid, {columns} FROM requests WHERE id = ?", (key,)).fetchone()
            if found is None:
                return None
            return self._story(RequestRow._make(found[1:]))

    def letters(self, request_id: str) -> Sequence[Letter]:
        """Dead letters of a request, also of one that has no answer yet."""
        rows = self._database.execute(
            "SELECT part, place, at, stage, code, topic, tries, state FROM letters WHERE request = ? ORDER BY at",
            (packed_id(returned_id(request_id)),),
        )
        name = self._names.name
        return [
            Letter(
                letter_id=f"{part}-{place}",
                failed_at=at,
                stage=name(stage),
                code=name(code),
                topic=name(topic),
                tries=tries,
                state=name(state),
            )
            for part, place, at, stage, code, topic, tries, state in rows
        ]

    def requests(self, wanted: Wanted, *, limit: int = 50, older: tuple[int, int] | None = None) -> Page:
        """Requests that fit, newest first.

        Args:
            older: of the page before: only those behind it.
        """
        index, where, values = chosen(wanted, older, self._names)
        rows: list[tuple[Any, ...]] = []
        statement = (
            f"SELECT {_LINE} FROM requests INDEXED BY {index} WHERE {' AND '.join(where) or '1'} "
            "ORDER BY at DESC, rowid DESC LIMIT ?"
        )
        cut = False
        try:
            with self._bounded():
                for row in self._database.execute(statement, (*values, limit + 1)):
                    rows.append(row)  # noqa: PERF402 - those before the cut stay
        except HistoryError:
            cut = True
        more = len(rows) > limit
        rows = rows[:limit]
        last = (rows[-1][2], rows[-1][0]) if rows and (more or cut) else None
        return Page(requests=[self._line(row) for row in rows], older=last, cut=cut)

    def points(
        self, since_ms: int, until_ms: int, *, by: Sequence[str] = (), hours: bool = True, tenant: str | None = None
    ) -> Sequence[Point]:
        """Sums of the minutes or hours from ``since_ms`` until before ``until_ms``, in order of time.

        Args:
            by: of ``tenant``, ``status``, ``error``, ``source`` and ``tier`` those that are told apart; tenants in
                hours alone.
            tenant: of this one alone; in hours alone.
        """
        groups = [name for name in _GROUPS if name in by]
        where, values = ["span = ?", "at >= ?", "at < ?"], [HOUR if hours else MINUTE]
        values += [since_ms // MINUTE_MS, until_ms // MINUTE_MS]
        if tenant is not None:
            where.append("tenant = ?")
            values.append(known(self._names, Kind.TENANT, tenant))
        columns = ", ".join(("at", *groups))
        sums: dict[tuple[Any, ...], list[Any]] = {}
        with self._bounded():
            for *key, latency, n, slow, cost, saved, total in self._database.execute(
                f"SELECT {columns}, latency, n, slow, cost, saved, total_ms FROM sums WHERE {' AND '.join(where)}",
                values,
            ):
                row = sums.setdefault(tuple(key), [0, 0, 0, 0, 0, {}])
                for at, value in enumerate((n, slow, cost, saved, total)):
                    row[at] += value
                for number, count in counts_of(latency).items():
                    row[5][number] = row[5].get(number, 0) + count
        return [
            Point(
                at_ms=key[0] * MINUTE_MS,
                by={name: self._names.name(one or None) for name, one in zip(groups, key[1:], strict=True)},
                n=row[0],
                slow=row[1],
                cost_nanousd=row[2],
                saved_nanousd=row[3],
                total_ms=row[4],
                latency=row[5],
            )
            for key, row in sorted(sums.items(), key=lambda item: item[0])
        ]

    def _line(self, row: Sequence[Any]) -> KeptRequest:
        _, request, at, tenant, user, status, error, source, tier, model, total, cost = row
        name = self._names.name
        return KeptRequest(
            request_id=unpacked_id(request),
            tenant_id=name(tenant) or "",
            user_id=name(user) or "",
            status=name(status) or "",
            error_code=name(error),
            source=name(source) or "",
            tier=name(tier),
            model=name(model),
            total_ms=total,
            cost_nanousd=cost,
            responded_at=at,
        )

    def _story(self, row: RequestRow) -> Story:
        name, request = self._names.name, unpacked_id(row.id)
        hops, gone = spans.unpacked(row.spans, accepted_at(row), self._names)
        found = list(numbers_of(row.redactions or b""))
        line = (0, row.id, row.at, row.tenant, row.user, row.status, row.error, row.source, row.tier, row.model)
        return Story(
            request=self._line((*line, row.total_ms, row.cost)),
            conversation_id=None if row.conversation is None else unpacked_id(row.conversation),
            key_id=name(row.key),
            task=name(row.task),
            deployment=name(row.deployment),
            escalated=bool(row.flags & ESCALATED),
            degraded=bool(row.flags & DEGRADED),
            prompt_tokens=row.prompt,
            completion_tokens=row.completion,
            cached_prompt_tokens=row.cached,
            saved_nanousd=row.saved,
            confidence=_share(row.confidence),
            similarity=_share(row.similarity),
            cache=name(row.cache),
            compression=name(row.compression),
            redactions={name(of) or "": count for of, count in zip(found[::2], found[1::2], strict=False)},
            supersedes=name(row.supersedes),
            replayed_letter=row.letter,
            trace_id=None if row.trace is None else row.trace.hex(),
            accepted_at=accepted_at(row) or None,
            completions_partition=row.part,
            completions_offset=row.place,
            seen=row.seen,
            spans=hops,
            spans_left_out=gone,
            metadata=json.loads(row.metadata) if row.metadata else {},
            calls=list(self._calls(row)),
            letters=self.letters(request),
            verdicts=[
                Verdict(at=at, judge_model=name(judge), rubric=name(rubric), score=score / 100)
                for at, judge, rubric, score in self._database.execute(
                    "SELECT at, judge, rubric, score FROM evaluations WHERE request = ? ORDER BY at", (row.id,)
                )
            ],
            corrections=[
                name(action) or ""
                for (action,) in self._database.execute(
                    "SELECT action FROM corrections WHERE request = ? ORDER BY at", (row.id,)
                )
            ],
        )

    def _calls(self, row: RequestRow) -> Iterator[Call]:
        name = self._names.name
        cursor = self._database.execute("SELECT * FROM calls WHERE request = ?", (row.id,))
        columns = [column[0] for column in cursor.description]
        found = [dict(zip(columns, one, strict=True)) for one in cursor]
        for one in sorted(found, key=lambda one: (one["at"] + (one["started"] or 0), repr(one["attempt"]))):
            status = name(one["status"])
            flags = one["flags"] or 0
            yield Call(
                attempt_id=unpacked_id(one["attempt"]),
                purpose=name(one["purpose"]),
                tier=name(one["tier"]),
                model=name(one["model"]),
                deployment=name(one["deployment"]),
                status=status,
                outcome=name(one["outcome"]) or name(one["error"]) or ("ok" if status == "settled" else None),
                started_at=None if one["started"] is None else one["at"] + one["started"],
                took_ms=one["took_ms"],
                first_token_ms=one["first_token_ms"],
                prompt_tokens=one["prompt"] or 0,
                completion_tokens=one["completion"] or 0,
                cached_prompt_tokens=one["cached"] or 0,
                cost_nanousd=one["cost"] or 0 if status in ("settled", None) else 0,
                saved_nanousd=one["saved"] or 0,
                price=name(one["price"]),
                estimated=bool(flags & ESTIMATED),
                priced=not flags & UNPRICED,
            )

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Cut off what takes too long. Raises :class:`HistoryError` then, and where the file cannot be read."""
        end = time.monotonic() + self._longest_s
        self._database.set_progress_handler(lambda: time.monotonic() > end, _LOOK_EVERY)
        try:
            yield
        except sqlite3.OperationalError as error:
            why = f"it took longer than {self._longest_s:g} s" if "interrupt" in str(error) else str(error)
            raise HistoryError(f"the history does not answer: {why}") from None
        except sqlite3.DatabaseError as error:
            raise HistoryError(f"the history cannot be read: {error}") from None
        finally:
            self._database.set_progress_handler(None, 0)


def _share(parts: int | None) -> float | None:
    return None if parts is None else parts / PARTS
