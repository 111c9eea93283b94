"""A certificate on paper, with its code and two scripts: `python -m bench.pdf`.

Every paper is another person's, so that nothing but fonts and template is kept between two. The
time is the process's, since Typst works in threads of its own.
"""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime
from statistics import median
from time import process_time_ns

from bench._certificate import issue, signer
from bench._turns import row
from healthcert.gateways import pdf
from healthcert.hcert import qr

_MOST_MS, _MOST_GROWTH_MB, _PAPERS = 8.0, 24, 200
_NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def main() -> int:
    """Return 1 if a paper takes too long, or many of them keep too much memory."""
    pictures = [qr.svg(issue(signer())) for _ in range(20)]
    times, before = [], 0
    for number in range(_PAPERS):
        begin = process_time_ns()
        made = pdf.paper("certificate", _told(number), made_at=_NOW, qr=pictures[number % 20])
        times.append((process_time_ns() - begin) / 1e6)
        if b"pdfuaid:part" not in made:
            print("pdf: a paper does not call itself PDF/UA")
            return 1
        before = before or (number == _PAPERS // 4 and _peak())
    took, growth = median(times), _peak() - before
    row("certificate as PDF", f"{took:.2f} ms", "limit", f"{_MOST_MS} ms", took / _MOST_MS, "1.00")
    print(f"peak memory over the last {_PAPERS * 3 // 4} papers: + {growth:.1f} MB")
    return int(took > _MOST_MS or growth > _MOST_GROWTH_MB)


def _told(number: int) -> dict[str, object]:
    return {
        "lang": "ar", "dir": "rtl", "service": "خدمة التطعيم", "title": "شهادة تطعيم",
        "name": f"ليلى الخوري {number}", "machine_name": f"KHOURY<<LAYLA<{number}",
        "alt": "رمز الشهادة",
        "rows": [["تاريخ الميلاد", f"{number % 28 + 1} مايو 1980"], ["اللقاح", "Comirnaty"],
                 ["المعرّف", f"URN:UVCI:01:XX:HC/{number:016}#A"]],
        "lead": ["أظهر هذا الرمز مع هويتك المصورة."],
    }  # fmt: skip


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
