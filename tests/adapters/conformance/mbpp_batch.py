"""Four tasks of MBPP and six fixed responses to each, so that every framework credits the same.

``mbpp.jsonl`` holds rows 602, 608, 619 and 629 of MBPP as they were published: Austin et al. 2021, *Program Synthesis
with Large Language Models*, github.com/google-research/google-research/tree/master/mbpp, CC BY 4.0
(creativecommons.org/licenses/by/4.0). The responses are ours. Of each task they are: right, wrong in one statement, not
compiling, raising, wrong at length, and left to chance, whose verdict hangs on the sandbox's seed.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from framework import DEFAULT, Batch

from egca_plugin.tasks.layouts import mbpp

AT_LENGTH = (
    "Let me think about this step by step before I write anything down.\n\n"
    + "First I look at the examples, since they say what goes in and what has to come out. "
    "Then I choose between a loop and something shorter; a loop is easier to follow. "
    "The edge cases are an empty input and an input of one element, and both fall out of the loop by themselves.\n\n"
) * 3

FIRST_REPEATED = (
    """def first_repeated_char(str1):
    seen = set()
    for c in str1:
        if c in seen:
            return c
        seen.add(c)
    return "None"
""",
    """def first_repeated_char(str1):
    for index, c in enumerate(str1):
        if str1[:index].count(c) > 1:
            return c
    return "None"
""",
    """def first_repeated_char(str1):
    for index, c in enumerate(str1)
        if str1[:index + 1].count(c) > 1:
            return c
    return "None"
""",
    """def first_repeated_char(str1):
    for index, c in enumerate(str1):
        if str1[:index + 1].counts(c) > 1:
            return c
    return "None"
""",
    """def first_repeated_char(str1):
    # Every character is compared with all of those in front of it.
    seen = []
    for c in str1:
        if c in seen:
            return c
        seen.append(c)
    return None
""",
    """import random

def first_repeated_char(str1):
    letters = list(str1)
    random.shuffle(letters)
    for index, c in enumerate(letters):
        if letters[:index + 1].count(c) > 1:
            return c
    return "None"
""",
)
BELL = (
    """def bell_Number(n):
    row = [1]
    for _ in range(n):
        following = [row[-1]]
        for value in row:
            following.append(following[-1] + value)
        row = following
    return row[0]
""",
    """def bell_Number(n):
    bell = [[0 for i in range(n + 1)] for j in range(n + 1)]
    bell[0][0] = 1
    for i in range(1, n + 1):
        bell[i][0] = bell[i - 1][0]
        for j in range(1, i + 1):
            bell[i][j] = bell[i - 1][j - 1] + bell[i][j - 1]
    return bell[n][0]
""",
    """def bell_Number(n):
    bell = [[0 for i in range(n + 1)] for j in range(n + 1)
    bell[0][0] = 1
    return bell[n][0]
""",
    """def bell_Number(n):
    bell = [[0 for i in range(n)] for j in range(n)]
    bell[0][0] = 1
    for i in range(1, n + 1):
        bell[i][0] = bell[i - 1][i - 1]
        for j in range(1, i + 1):
            bell[i][j] = bell[i - 1][j - 1] + bell[i][j - 1]
    return bell[n][0]
""",
    """def bell_Number(n):
    # The triangle begins with one; each row begins with the last number of the one above.
    bell = [[0 for i in range(n + 1)] for j in range(n + 1)]
    bell[0][0] = 1
    for i in range(1, n + 1):
        bell[i][0] = bell[i - 1][i - 1]
        for j in range(1, i + 1):
            bell[i][j] = bell[i - 1][j - 1] + bell[i][j - 1]
    return bell[n][n]
""",
    """import random

def bell_Number(n):
    return random.choice([2, 5, 15])
""",
)
MOVE_NUM = (
    """def move_num(test_str):
    letters = [c for c in test_str if not c.isdigit()]
    digits = [c for c in test_str if c.isdigit()]
    return "".join(letters + digits)
""",
    """def move_num(test_str):
    res = ''
    dig = ''
    for ele in test_str:
        if ele.isdigit():
            dig = ele
        else:
            res += ele
    res += dig
    return res
""",
    """def move_num(test_str):
    res = ''
    for ele in test_str:
    if ele.isdigit():
        res += ele
    return res
""",
    """def move_num(test_str):
    res = ''
    for ele in test_str:
        if ele.isdigit():
            dig += ele
        else:
            res += ele
    return res + dig
""",
    """def move_num(test_str):
    # Digits are kept apart until the end, and stand in front then.
    res = ''
    dig = ''
    for ele in test_str:
        if ele.isdigit():
            dig += ele
        else:
            res += ele
    res = dig + res
    return res
""",
    """import random

def move_num(test_str):
    letters = [c for c in test_str if not c.isdigit()]
    digits = [c for c in test_str if c.isdigit()]
    random.shuffle(digits)
    return "".join(letters + digits)
""",
)
SPLIT = (
    """def Split(list):
    return [i for i in list if i % 2 == 0]
""",
    """def Split(list):
    ev_li = []
    for i in list:
        if i % 2 == 1:
            ev_li.append(i)
    return ev_li
""",
    """def Split(list):
    ev_li = []
    for i in list:
        if (i % 2 == 0:
            ev_li.append(i)
    return ev_li
""",
    """def Split(list):
    ev_li = []
    for i in range(len(list) + 1):
        if list[i] % 2 == 0:
            ev_li.append(list[i])
    return ev_li
""",
    """def Split(list):
    # A number is even where nothing is left over when it is halved.
    ev_li = []
    for i in list:
        if i % 2 == 0:
            ev_li.append(i)
    return ev_li[1:]
""",
    """import random

def Split(list):
    ev_li = [i for i in list if i % 2 == 0]
    random.shuffle(ev_li)
    return ev_li
""",
)


PROGRAMS = {"mbpp/602": FIRST_REPEATED, "mbpp/608": BELL, "mbpp/619": MOVE_NUM, "mbpp/629": SPLIT}


def batch() -> Batch:
    """The tasks with their responses. Each group has one that passes, so that it has advantages."""
    tasks = tuple(replace(task, extra={}) for task in mbpp.load(Path(__file__).with_name("mbpp.jsonl")))
    return Batch(tasks, tuple(_says(PROGRAMS[task.task_id]) for task in tasks), DEFAULT)


def _says(programs: tuple[str, ...]) -> tuple[str, ...]:
    """As a model says them: in a fence, the fifth behind much talk."""
    return tuple(f"{AT_LENGTH if k == 4 else ''}```python\n{one}```\n" for k, one in enumerate(programs))
