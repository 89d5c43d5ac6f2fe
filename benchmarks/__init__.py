"""How fast and how small hubindex is, as ratios against floors measured in the same run.

    python -m benchmarks                       all of them, one table at the end (half an hour, a few GB of disk)
    python -m benchmarks searching size        some: startup, searching, asking, writing, crawling, memory, size, …
    python -m benchmarks --quick               small sizes: shows that everything works, not how fast it is
    python -m benchmarks --repositories N      the size of the large search index (default 1,000,000)
    python -m benchmarks --keep DIR            keep the data sets there, and use them again next time

A floor is the least work that could do the same job: an interpreter that does nothing, the same rows through the
bare driver, a loop that only fetches and decodes. Floor and hubindex run in turns, several times; what is shown is
the median of the ratios of the turns, and beside it the medians of the absolute numbers. All data is made up from
fixed seeds. Run them on a machine that does nothing else, installed with `pip install -e '.[dev]'`.
"""
