"""What the product costs on AWS: a price list, the use that was measured, and arithmetic over both.

The prices are list prices, without free tiers and discounts; where they are from is in docs/aws.md.
A test measures the requests again. What a job did cost is in the metadata of its tables
(`engine/emr_watch`); nothing here asks AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

PRICES_OF = "us-east-1, November 2026"


class Price(NamedTuple):
    """The price of one unit in USD."""

    of: str
    usd: float


VCPU_HOUR = Price("EMR Serverless on x86_64, a vCPU hour", 0.052624)
GB_HOUR = Price("EMR Serverless on x86_64, a GB hour of memory", 0.0057785)
WRITE = Price("S3, 1,000 requests PUT, COPY, POST or LIST", 0.005)
READ = Price("S3, 1,000 requests GET or HEAD", 0.0004)
STORED = Price("S3 Standard, a GB for a month", 0.023)
EVENT = Price("EventBridge, a million events of S3", 1.0)
MESSAGE = Price("SQS, a million requests", 0.4)
ALARM = Price("CloudWatch, an alarm for a month", 0.1)
RPU_HOUR = Price("Redshift Serverless, an RPU hour", 0.375)
INSTANCE_HOUR = Price("EC2, an hour of t4g.medium", 0.0336)
DISK = Price("EBS gp3, a GB for a month", 0.08)
PRICE_LIST = (
    *(VCPU_HOUR, GB_HOUR, WRITE, READ, STORED, EVENT, MESSAGE, ALARM),
    *(RPU_HOUR, INSTANCE_HOUR, DISK),
)

# A job: the CPU is that of `make bench` (docs/performance.md), bronze to gold of 1,887 days in two
# processes. Not measured on AWS: its start, which is also what a worker is billed for at least
# (`billedResourceUtilization` of JobRun), and 8 requests to S3 of 0.03 s a currency.
START_S = 60.0
CURRENCY_S = 0.029 + 8 * 0.03
BATCH = 1000  # currencies of a job


class Requests(NamedTuple):
    """Requests to S3, by price."""

    writes: float
    reads: float

    @property
    def usd(self) -> float:
        return (self.writes * WRITE.usd + self.reads * READ.usd) / 1000


# Measured by `aws/test_costs.py`. Of a currency: a new content of both its files until it is due,
# with the deletions, and the run that computes it. Then of a run as a whole.
REGISTERED = Requests(writes=11, reads=14)
COMPUTED = Requests(writes=14, reads=8)
RUN = Requests(writes=30, reads=200)
# Of S3, for what `REGISTERED` writes; of the queue, which gets those of the uploads themselves.
EVENTS, MESSAGES = 11, 3
# The sensor while nothing comes: in each tick, when it looks at the registries, and when it lists
# the inbox, which takes a request for each 1,000 uploads and decisions on them.
TICK, TICK_S = Requests(writes=0, reads=1), 10.0
LOOK, LOOK_S = Requests(writes=3, reads=0), 600.0
LISTING, LISTING_S = Requests(writes=8, reads=0), 3600.0
LISTED_TOGETHER = 250  # currencies, whose uploads and decisions are 1,000 objects

UPLOADED_GB, LAKE_GB = 140e-6, 220e-6  # of a currency of `make bench`: both files, all tables
VERSIONS_DAYS = 30  # that replaced uploads are kept in the bucket, and their contents by `prune`
ALARMS = 4
RPUS, WAKE_S = 8, 60.0  # the base capacity of the template, and what waking it up is billed for
MONTH_DAYS, MONTH_HOURS = 30, 730
INSTANCE_GB = 36  # its own volume and that of its home


class Workers(NamedTuple):
    """The workers of a job together; `executor_vcpus` are those that compute."""

    vcpus: int
    memory_gb: int
    executor_vcpus: int


def job_usd(currencies: int, workers: Workers) -> float:
    """One job that computes so many currencies, without its requests."""
    seconds = START_S + currencies * CURRENCY_S / workers.executor_vcpus
    return seconds / 3600 * (workers.vcpus * VCPU_HOUR.usd + workers.memory_gb * GB_HOUR.usd)


def computed_usd(currencies: int, workers_for: Callable[[int], Workers]) -> float:
    """The run that computes and publishes so many currencies: its jobs and requests."""
    jobs = [BATCH] * (currencies // BATCH)
    jobs += [rest] if (rest := currencies % BATCH) else []
    requests = RUN.usd * len(jobs) + COMPUTED.usd * currencies
    return requests + sum(job_usd(each, workers_for(each)) for each in jobs)


def registered_usd(currencies: int) -> float:
    """Both files of so many currencies: uploaded, announced, assigned and registered."""
    of_one = REGISTERED.usd + (EVENTS * EVENT.usd + MESSAGES * MESSAGE.usd) / 1e6
    return currencies * of_one


def loaded_usd(currencies: int) -> float:
    """Waking Redshift up before the run and for the tables of each of its jobs."""
    wakes = 1 + -(-currencies // BATCH)
    return wakes * RPUS * RPU_HOUR.usd * WAKE_S / 3600


def stored_usd(currencies: int, *, daily: bool = True) -> float:
    """A month of storage; of uploads that come daily the replaced ones are kept as well.

    An upload is there twice: as it came, and as the content that runs read.
    """
    contents = 1 + (VERSIONS_DAYS if daily else 0)
    return currencies * (2 * contents * UPLOADED_GB + LAKE_GB) * STORED.usd


def idle_usd(currencies: int) -> dict[str, float]:
    """A month in which nothing comes, by part; without Redshift and instance.

    Nothing is computed then. `crypto-assets ui` runs all the time.
    """
    seconds = MONTH_DAYS * 24 * 3600
    listing = Requests(LISTING.writes + currencies / LISTED_TOGETHER, LISTING.reads)
    asked = ((TICK, TICK_S), (LOOK, LOOK_S), (listing, LISTING_S))
    return {
        "alarms": ALARMS * ALARM.usd,
        "looks at the bucket": sum(seconds / every * each.usd for each, every in asked),
        "looks at the queue": seconds / TICK_S * MESSAGE.usd / 1e6,
        "storage": stored_usd(currencies, daily=False),
    }


def instance_usd() -> float:
    """A month of the instance that runs `crypto-assets ui`, with its disks."""
    return MONTH_HOURS * INSTANCE_HOUR.usd + INSTANCE_GB * DISK.usd


def in_words(workers_for: Callable[[int], Workers]) -> str:
    """What a stack costs while nothing comes, and 1,000 currencies, in a sentence."""
    month, thousand = sum(idle_usd(BATCH).values()), computed_usd(BATCH, workers_for)
    return (
        f"about ${month:.2f} a month while nothing comes, without Redshift and instance; 1,000 "
        f"currencies ${thousand:.2f} to compute and ${registered_usd(BATCH):.2f} to upload "
        f"({PRICES_OF})"
    )
