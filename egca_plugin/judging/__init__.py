"""The trusted side that decides: tests, the candidate's proxy, verdicts. Nothing hostile runs here.

``referee.judge`` (a verdict), ``checks`` (tests compiled so that each is counted), ``evaluation`` (pass@k).
"""
