"""The candidates for the starter tasks: a function is a task, its docstring the description, the asserts its tests.

The first assert is the example in the prompt. Running this file checks every reference. `measure.py` measures the
pass rate of a model on each and keeps those that are neither hopeless nor solved.
"""

# ruff: noqa: E712, SIM110


# --- numbers ------------------------------------------------------------------------------------------------------


def is_even(n):
    """Return True if n is even."""
    return n % 2 == 0


assert is_even(4) == True
assert is_even(7) == False
assert is_even(0) == True
assert is_even(-3) == False
assert is_even(-10) == True
assert is_even(101) == False


def is_odd(n):
    """Return True if n is odd."""
    return n % 2 == 1


assert is_odd(3) == True
assert is_odd(4) == False
assert is_odd(0) == False
assert is_odd(-1) == True
assert is_odd(-8) == False


def square(n):
    """Return n multiplied by itself."""
    return n * n


assert square(3) == 9
assert square(0) == 0
assert square(-4) == 16
assert square(1) == 1
assert square(12) == 144


def cube(n):
    """Return n to the power of three."""
    return n**3


assert cube(2) == 8
assert cube(0) == 0
assert cube(-3) == -27
assert cube(1) == 1
assert cube(10) == 1000


def double(n):
    """Return twice the number n."""
    return 2 * n


assert double(4) == 8
assert double(0) == 0
assert double(-5) == -10
assert double(1) == 2
assert double(250) == 500


def absolute(n):
    """Return the absolute value of n."""
    return abs(n)


assert absolute(-5) == 5
assert absolute(5) == 5
assert absolute(0) == 0
assert absolute(-1) == 1
assert absolute(-300) == 300


def add(a, b):
    """Return the sum of a and b."""
    return a + b


assert add(2, 3) == 5
assert add(0, 0) == 0
assert add(-4, 1) == -3
assert add(10, -10) == 0
assert add(99, 1) == 100


def average(a, b):
    """Return the average of the two numbers a and b."""
    return (a + b) / 2


assert average(2, 4) == 3
assert average(1, 2) == 1.5
assert average(0, 0) == 0
assert average(-2, 2) == 0
assert average(10, 5) == 7.5


def larger(a, b):
    """Return the larger of the two numbers."""
    return max(a, b)


assert larger(2, 5) == 5
assert larger(9, 1) == 9
assert larger(3, 3) == 3
assert larger(-2, -7) == -2
assert larger(0, -1) == 0


def smallest_of_three(a, b, c):
    """Return the smallest of the three numbers."""
    return min(a, b, c)


assert smallest_of_three(3, 1, 2) == 1
assert smallest_of_three(1, 2, 3) == 1
assert smallest_of_three(5, 4, 3) == 3
assert smallest_of_three(2, 2, 2) == 2
assert smallest_of_three(0, -1, 1) == -1
assert smallest_of_three(-5, -4, -6) == -6


def difference(a, b):
    """Return the absolute difference between a and b."""
    return abs(a - b)


assert difference(7, 3) == 4
assert difference(3, 7) == 4
assert difference(5, 5) == 0
assert difference(-2, 2) == 4
assert difference(-6, -1) == 5


def sign(n):
    """Return 1 if n is positive, -1 if n is negative and 0 if n is zero."""
    return (n > 0) - (n < 0)


assert sign(5) == 1
assert sign(-5) == -1
assert sign(0) == 0
assert sign(1) == 1
assert sign(-100) == -1


def is_positive(n):
    """Return True if n is greater than zero."""
    return n > 0


assert is_positive(3) == True
assert is_positive(-3) == False
assert is_positive(0) == False
assert is_positive(1) == True
assert is_positive(-1) == False


def factorial(n):
    """Return the factorial of n."""
    result = 1
    for i in range(2, n + 1):
        result *= i
    return result


assert factorial(5) == 120
assert factorial(0) == 1
assert factorial(1) == 1
assert factorial(3) == 6
assert factorial(7) == 5040


def sum_to_n(n):
    """Return the sum of the whole numbers from 1 to n."""
    return sum(range(1, n + 1))


assert sum_to_n(4) == 10
assert sum_to_n(1) == 1
assert sum_to_n(0) == 0
assert sum_to_n(10) == 55
assert sum_to_n(100) == 5050


def is_prime(n):
    """Return True if n is a prime number."""
    if n < 2:
        return False
    for i in range(2, n):
        if n % i == 0:
            return False
    return True


assert is_prime(7) == True
assert is_prime(1) == False
assert is_prime(2) == True
assert is_prime(9) == False
assert is_prime(0) == False
assert is_prime(25) == False
assert is_prime(31) == True


def fibonacci(n):
    """Return the n-th Fibonacci number, where fibonacci(0) is 0 and fibonacci(1) is 1."""
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


assert fibonacci(6) == 8
assert fibonacci(0) == 0
assert fibonacci(1) == 1
assert fibonacci(2) == 1
assert fibonacci(10) == 55


def gcd(a, b):
    """Return the greatest common divisor of a and b."""
    while b:
        a, b = b, a % b
    return a


assert gcd(12, 8) == 4
assert gcd(7, 3) == 1
assert gcd(5, 0) == 5
assert gcd(10, 10) == 10
assert gcd(8, 12) == 4


def digit_sum(n):
    """Return the sum of the digits of the number n."""
    return sum(int(digit) for digit in str(n))


assert digit_sum(123) == 6
assert digit_sum(0) == 0
assert digit_sum(9) == 9
assert digit_sum(1000) == 1
assert digit_sum(999) == 27


def count_digits(n):
    """Return the number of digits of the number n."""
    return len(str(n))


assert count_digits(123) == 3
assert count_digits(0) == 1
assert count_digits(7) == 1
assert count_digits(1000) == 4
assert count_digits(98765) == 5


def last_digit(n):
    """Return the last digit of the number n."""
    return n % 10


assert last_digit(123) == 3
assert last_digit(5) == 5
assert last_digit(0) == 0
assert last_digit(40) == 0
assert last_digit(999) == 9


def is_divisible(a, b):
    """Return True if a is divisible by b."""
    return a % b == 0


assert is_divisible(10, 5) == True
assert is_divisible(10, 3) == False
assert is_divisible(0, 4) == True
assert is_divisible(7, 7) == True
assert is_divisible(3, 6) == False


def power(base, exponent):
    """Return base raised to the power of exponent."""
    return base**exponent


assert power(2, 3) == 8
assert power(5, 0) == 1
assert power(0, 4) == 0
assert power(7, 1) == 7
assert power(-2, 2) == 4
assert power(10, 5) == 100000


def celsius_to_fahrenheit(c):
    """Convert the temperature c from Celsius to Fahrenheit."""
    return c * 9 / 5 + 32


assert celsius_to_fahrenheit(100) == 212
assert celsius_to_fahrenheit(0) == 32
assert celsius_to_fahrenheit(-40) == -40
assert celsius_to_fahrenheit(10) == 50
assert celsius_to_fahrenheit(25) == 77


def area_of_rectangle(width, height):
    """Return the area of a rectangle."""
    return width * height


assert area_of_rectangle(3, 4) == 12
assert area_of_rectangle(1, 1) == 1
assert area_of_rectangle(0, 5) == 0
assert area_of_rectangle(10, 2) == 20
assert area_of_rectangle(7, 7) == 49


def perimeter(width, height):
    """Return the perimeter of a rectangle."""
    return 2 * (width + height)


assert perimeter(3, 4) == 14
assert perimeter(1, 1) == 4
assert perimeter(0, 5) == 10
assert perimeter(10, 2) == 24
assert perimeter(7, 7) == 28


def is_leap_year(year):
    """Return True if the year is a leap year."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


assert is_leap_year(2024) == True
assert is_leap_year(2023) == False
assert is_leap_year(1900) == False
assert is_leap_year(2000) == True
assert is_leap_year(2100) == False
assert is_leap_year(1996) == True


def minutes_to_seconds(minutes):
    """Convert minutes to seconds."""
    return minutes * 60


assert minutes_to_seconds(2) == 120
assert minutes_to_seconds(0) == 0
assert minutes_to_seconds(1) == 60
assert minutes_to_seconds(10) == 600
assert minutes_to_seconds(60) == 3600


def clamp(n, low, high):
    """Return n limited to the range from low to high."""
    return max(low, min(n, high))


assert clamp(5, 1, 3) == 3
assert clamp(2, 1, 3) == 2
assert clamp(0, 1, 3) == 1
assert clamp(1, 1, 3) == 1
assert clamp(-9, -5, 5) == -5


def is_between(n, low, high):
    """Return True if n is at least low and at most high."""
    return low <= n <= high


assert is_between(2, 1, 3) == True
assert is_between(1, 1, 3) == True
assert is_between(3, 1, 3) == True
assert is_between(4, 1, 3) == False
assert is_between(0, 1, 3) == False


def fizz(n):
    """Return "Fizz" if n is divisible by 3, otherwise return n."""
    return "Fizz" if n % 3 == 0 else n


assert fizz(9) == "Fizz"
assert fizz(4) == 4
assert fizz(3) == "Fizz"
assert fizz(10) == 10
assert fizz(0) == "Fizz"


def multiples(n, count):
    """Return a list with the first count multiples of n, starting with n."""
    return [n * i for i in range(1, count + 1)]


assert multiples(3, 4) == [3, 6, 9, 12]
assert multiples(5, 1) == [5]
assert multiples(2, 0) == []
assert multiples(1, 3) == [1, 2, 3]
assert multiples(10, 2) == [10, 20]


def numbers_up_to(n):
    """Return a list of the numbers from 1 to n."""
    return list(range(1, n + 1))


assert numbers_up_to(3) == [1, 2, 3]
assert numbers_up_to(1) == [1]
assert numbers_up_to(0) == []
assert numbers_up_to(5) == [1, 2, 3, 4, 5]
assert len(numbers_up_to(20)) == 20


def countdown(n):
    """Return a list of the numbers from n down to 1."""
    return list(range(n, 0, -1))


assert countdown(3) == [3, 2, 1]
assert countdown(1) == [1]
assert countdown(0) == []
assert countdown(5) == [5, 4, 3, 2, 1]
assert countdown(2) == [2, 1]


def divisors(n):
    """Return a list of all the divisors of n in increasing order."""
    return [i for i in range(1, n + 1) if n % i == 0]


assert divisors(6) == [1, 2, 3, 6]
assert divisors(1) == [1]
assert divisors(7) == [1, 7]
assert divisors(9) == [1, 3, 9]
assert divisors(12) == [1, 2, 3, 4, 6, 12]


# --- lists --------------------------------------------------------------------------------------------------------


def list_sum(numbers):
    """Return the sum of the numbers in the list."""
    return sum(numbers)


assert list_sum([1, 2, 3]) == 6
assert list_sum([]) == 0
assert list_sum([5]) == 5
assert list_sum([-1, 1]) == 0
assert list_sum([10, 20, 30, 40]) == 100


def product(numbers):
    """Return the product of the numbers in the list."""
    result = 1
    for number in numbers:
        result *= number
    return result


assert product([2, 3, 4]) == 24
assert product([5]) == 5
assert product([]) == 1
assert product([1, 0, 7]) == 0
assert product([-2, 3]) == -6


def maximum(numbers):
    """Return the largest number in the list."""
    return max(numbers)


assert maximum([1, 5, 3]) == 5
assert maximum([7]) == 7
assert maximum([-4, -2, -9]) == -2
assert maximum([2, 2]) == 2
assert maximum([0, -1, 10, 4]) == 10


def minimum(numbers):
    """Return the smallest number in the list."""
    return min(numbers)


assert minimum([4, 1, 3]) == 1
assert minimum([7]) == 7
assert minimum([-4, -2, -9]) == -9
assert minimum([2, 2]) == 2
assert minimum([0, 5, 10]) == 0


def mean(numbers):
    """Return the mean of the numbers in the list."""
    return sum(numbers) / len(numbers)


assert mean([1, 2, 3]) == 2
assert mean([5]) == 5
assert mean([1, 2]) == 1.5
assert mean([-1, 1]) == 0
assert mean([10, 20, 30, 40]) == 25


def first_item(items):
    """Return the first item of the list."""
    return items[0]


assert first_item([3, 1, 2]) == 3
assert first_item(["a"]) == "a"
assert first_item([None, 1]) is None
assert first_item([[1], [2]]) == [1]
assert first_item([0, 9]) == 0


def last_item(items):
    """Return the last item of the list, or None if the list is empty."""
    return items[-1] if items else None


assert last_item([3, 1, 2]) == 2
assert last_item(["a"]) == "a"
assert last_item([]) is None
assert last_item([1, [2]]) == [2]
assert last_item([5, 0]) == 0


def length(items):
    """Return the number of items in the list."""
    return len(items)


assert length([4, 5, 6]) == 3
assert length([]) == 0
assert length(["a"]) == 1
assert length([[], []]) == 2
assert length([1, 1, 1, 1]) == 4


def is_empty(items):
    """Return True if the list is empty."""
    return len(items) == 0


assert is_empty([]) == True
assert is_empty([1]) == False
assert is_empty([None]) == False
assert is_empty([[]]) == False
assert is_empty([1, 2, 3]) == False


def reverse_list(items):
    """Return a new list with the items in reverse order."""
    return items[::-1]


assert reverse_list([1, 2, 3]) == [3, 2, 1]
assert reverse_list([]) == []
assert reverse_list(["a"]) == ["a"]
assert reverse_list([1, 1, 2]) == [2, 1, 1]
assert reverse_list(["x", "y"]) == ["y", "x"]


def sort_list(numbers):
    """Return a sorted copy of the list, smallest first."""
    return sorted(numbers)


assert sort_list([3, 1, 2]) == [1, 2, 3]
assert sort_list([]) == []
assert sort_list([5]) == [5]
assert sort_list([2, -1, 2]) == [-1, 2, 2]
assert sort_list([9, 8, 7, 6]) == [6, 7, 8, 9]


def sort_descending(numbers):
    """Return a sorted copy of the list, largest first."""
    return sorted(numbers, reverse=True)


assert sort_descending([3, 1, 2]) == [3, 2, 1]
assert sort_descending([]) == []
assert sort_descending([5]) == [5]
assert sort_descending([2, -1, 2]) == [2, 2, -1]
assert sort_descending([6, 7, 8, 9]) == [9, 8, 7, 6]


def squares(numbers):
    """Return a list with the square of each number."""
    return [number**2 for number in numbers]


assert squares([1, 2, 3]) == [1, 4, 9]
assert squares([]) == []
assert squares([-2]) == [4]
assert squares([0, 5]) == [0, 25]
assert squares([10, 1]) == [100, 1]


def double_all(numbers):
    """Return a list with every number doubled."""
    return [2 * number for number in numbers]


assert double_all([1, 2, 3]) == [2, 4, 6]
assert double_all([]) == []
assert double_all([-2]) == [-4]
assert double_all([0, 5]) == [0, 10]
assert double_all([10, 1]) == [20, 2]


def add_one(numbers):
    """Return a list with 1 added to every number."""
    return [number + 1 for number in numbers]


assert add_one([1, 2, 3]) == [2, 3, 4]
assert add_one([]) == []
assert add_one([-1]) == [0]
assert add_one([0, 9]) == [1, 10]
assert add_one([5, 5]) == [6, 6]


def sum_of_squares(numbers):
    """Return the sum of the squares of the numbers."""
    return sum(number**2 for number in numbers)


assert sum_of_squares([1, 2, 3]) == 14
assert sum_of_squares([]) == 0
assert sum_of_squares([-2]) == 4
assert sum_of_squares([0, 5]) == 25
assert sum_of_squares([1, 1, 1]) == 3


def evens(numbers):
    """Return a list of the even numbers in the list."""
    return [number for number in numbers if number % 2 == 0]


assert evens([1, 2, 3, 4]) == [2, 4]
assert evens([]) == []
assert evens([1, 3]) == []
assert evens([0, -2, 5]) == [0, -2]
assert evens([8, 8]) == [8, 8]


def odds(numbers):
    """Return a list of the odd numbers in the list."""
    return [number for number in numbers if number % 2 == 1]


assert odds([1, 2, 3, 4]) == [1, 3]
assert odds([]) == []
assert odds([2, 4]) == []
assert odds([0, -1, 5]) == [-1, 5]
assert odds([9, 9]) == [9, 9]


def positives(numbers):
    """Return a list of the positive numbers in the list."""
    return [number for number in numbers if number > 0]


assert positives([1, -2, 3]) == [1, 3]
assert positives([]) == []
assert positives([-1, -3]) == []
assert positives([0, 5]) == [5]
assert positives([2, 2]) == [2, 2]


def count_evens(numbers):
    """Count the even numbers in the list."""
    return sum(1 for number in numbers if number % 2 == 0)


assert count_evens([1, 2, 4]) == 2
assert count_evens([]) == 0
assert count_evens([1, 3]) == 0
assert count_evens([0, -2]) == 2
assert count_evens([8, 8, 8, 1]) == 3


def count_positive(numbers):
    """Count the numbers in the list that are greater than zero."""
    return sum(1 for number in numbers if number > 0)


assert count_positive([1, -2, 4]) == 2
assert count_positive([]) == 0
assert count_positive([0]) == 0
assert count_positive([-1, -5]) == 0
assert count_positive([3, 3, 3]) == 3


def sum_of_evens(numbers):
    """Return the sum of the even numbers in the list."""
    return sum(number for number in numbers if number % 2 == 0)


assert sum_of_evens([1, 2, 4]) == 6
assert sum_of_evens([]) == 0
assert sum_of_evens([1, 3]) == 0
assert sum_of_evens([-2, 5, 10]) == 8
assert sum_of_evens([8, 8]) == 16


def remove_duplicates(items):
    """Return a list without duplicates, in the original order."""
    result = []
    for item in items:
        if item not in result:
            result.append(item)
    return result


assert remove_duplicates([3, 1, 3, 2, 1]) == [3, 1, 2]
assert remove_duplicates([]) == []
assert remove_duplicates([5, 5, 5]) == [5]
assert remove_duplicates([10, 9, 8]) == [10, 9, 8]
assert remove_duplicates(["b", "a", "b"]) == ["b", "a"]


def has_duplicates(items):
    """Return True if any item appears more than once in the list."""
    return len(items) != len(set(items))


assert has_duplicates([1, 2, 1]) == True
assert has_duplicates([]) == False
assert has_duplicates([1]) == False
assert has_duplicates([1, 2, 3]) == False
assert has_duplicates(["a", "a"]) == True


def contains(items, target):
    """Return True if target is in the list."""
    return target in items


assert contains([1, 2, 3], 2) == True
assert contains([1, 2, 3], 5) == False
assert contains([], 1) == False
assert contains(["a", "b"], "b") == True
assert contains([0], 0) == True


def index_of(items, target):
    """Return the index of target in the list, or -1 if it is not there."""
    return items.index(target) if target in items else -1


assert index_of([4, 5, 6], 5) == 1
assert index_of([4, 5, 6], 9) == -1
assert index_of([], 1) == -1
assert index_of([7, 7], 7) == 0
assert index_of(["a", "b", "c"], "c") == 2


def count_item(items, target):
    """Return how many times target appears in the list."""
    return items.count(target)


assert count_item([1, 2, 1], 1) == 2
assert count_item([], 1) == 0
assert count_item([1, 2], 3) == 0
assert count_item(["a", "a", "a"], "a") == 3
assert count_item([0, 1, 0, 1], 0) == 2


def join_lists(a, b):
    """Return a new list with the items of a followed by the items of b."""
    return a + b


assert join_lists([1, 2], [3]) == [1, 2, 3]
assert join_lists([], []) == []
assert join_lists([1], []) == [1]
assert join_lists([], ["x"]) == ["x"]
assert join_lists([1, 1], [1]) == [1, 1, 1]


def common_items(a, b):
    """Return a list of the items of a that are also in b."""
    return [item for item in a if item in b]


assert common_items([1, 2, 3], [2, 3, 4]) == [2, 3]
assert common_items([], [1]) == []
assert common_items([1], []) == []
assert common_items([1, 2], [3]) == []
assert common_items([30, 10, 20], [10, 20, 30]) == [30, 10, 20]


def second_largest(numbers):
    """Return the second largest number in the list of different numbers."""
    return sorted(numbers)[-2]


assert second_largest([1, 5, 3]) == 3
assert second_largest([2, 1]) == 1
assert second_largest([-1, -5, -3]) == -3
assert second_largest([10, 20, 30, 40]) == 30
assert second_largest([0, 7]) == 0


def max_difference(numbers):
    """Return the difference between the largest and the smallest number in the list."""
    return max(numbers) - min(numbers)


assert max_difference([3, 9, 5]) == 6
assert max_difference([4]) == 0
assert max_difference([-2, 2]) == 4
assert max_difference([7, 7]) == 0
assert max_difference([10, 1, 5]) == 9


def remove_first(items):
    """Return a new list without the first item."""
    return items[1:]


assert remove_first([1, 2, 3]) == [2, 3]
assert remove_first([1]) == []
assert remove_first([]) == []
assert remove_first(["a", "b"]) == ["b"]
assert remove_first([5, 5, 5]) == [5, 5]


def every_second(items):
    """Return a list with every second item, starting with the first."""
    return items[::2]


assert every_second([1, 2, 3, 4]) == [1, 3]
assert every_second([]) == []
assert every_second([1]) == [1]
assert every_second([1, 2]) == [1]
assert every_second(["a", "b", "c"]) == ["a", "c"]


def first_n(items, n):
    """Return a list of the first n items."""
    return items[:n]


assert first_n([4, 5, 6], 2) == [4, 5]
assert first_n([], 3) == []
assert first_n([1, 2], 0) == []
assert first_n([1, 2], 5) == [1, 2]
assert first_n(["a", "b", "c"], 1) == ["a"]


def all_positive(numbers):
    """Return True if all numbers in the list are greater than zero."""
    return all(number > 0 for number in numbers)


assert all_positive([1, 2, 3]) == True
assert all_positive([1, -2, 3]) == False
assert all_positive([0, 1]) == False
assert all_positive([5]) == True
assert all_positive([1, 2, -1]) == False


def any_negative(numbers):
    """Return True if any number in the list is less than zero."""
    return any(number < 0 for number in numbers)


assert any_negative([1, -2, 3]) == True
assert any_negative([1, 2]) == False
assert any_negative([]) == False
assert any_negative([0]) == False
assert any_negative([5, 6, -1]) == True


def is_sorted(numbers):
    """Return True if the list is sorted from smallest to largest."""
    return numbers == sorted(numbers)


assert is_sorted([1, 2, 3]) == True
assert is_sorted([3, 1, 2]) == False
assert is_sorted([]) == True
assert is_sorted([2, 2]) == True
assert is_sorted([1, 3, 2]) == False


def flatten(lists):
    """Join a list of lists into one list."""
    return [item for inner in lists for item in inner]


assert flatten([[1, 2], [3]]) == [1, 2, 3]
assert flatten([]) == []
assert flatten([[]]) == []
assert flatten([[1], [], [2]]) == [1, 2]
assert flatten([["a"], ["b", "c"]]) == ["a", "b", "c"]


def running_total(numbers):
    """Return a list of the running totals of the numbers."""
    result = []
    total = 0
    for number in numbers:
        total += number
        result.append(total)
    return result


assert running_total([1, 2, 3]) == [1, 3, 6]
assert running_total([]) == []
assert running_total([5]) == [5]
assert running_total([1, -1, 2]) == [1, 0, 2]
assert running_total([2, 2, 2]) == [2, 4, 6]


def add_lists(a, b):
    """Add two lists of the same length, item by item."""
    return [a[i] + b[i] for i in range(len(a))]


assert add_lists([1, 2], [3, 4]) == [4, 6]
assert add_lists([], []) == []
assert add_lists([1], [-1]) == [0]
assert add_lists([0, 5, 1], [1, 1, 1]) == [1, 6, 2]
assert add_lists([10, 20], [1, 2]) == [11, 22]


def repeat_item(item, n):
    """Return a list that contains item n times."""
    return [item] * n


assert repeat_item(7, 3) == [7, 7, 7]
assert repeat_item("a", 1) == ["a"]
assert repeat_item(1, 0) == []
assert repeat_item("xy", 2) == ["xy", "xy"]
assert repeat_item(None, 2) == [None, None]


def greater_than(numbers, limit):
    """Return a list of the numbers that are greater than limit."""
    return [number for number in numbers if number > limit]


assert greater_than([1, 5, 3], 2) == [5, 3]
assert greater_than([], 0) == []
assert greater_than([1, 2], 2) == []
assert greater_than([-1, 0, 1], -1) == [0, 1]
assert greater_than([9, 9], 3) == [9, 9]


def longest_word(words):
    """Return the longest word in the list."""
    return max(words, key=len)


assert longest_word(["a", "abc", "ab"]) == "abc"
assert longest_word(["hello"]) == "hello"
assert longest_word(["zz", "aaaa", "b"]) == "aaaa"
assert longest_word(["x", "yy"]) == "yy"
assert longest_word(["three", "to", "a"]) == "three"


def word_lengths(words):
    """Return a list with the length of each word."""
    return [len(word) for word in words]


assert word_lengths(["a", "abc"]) == [1, 3]
assert word_lengths([]) == []
assert word_lengths([""]) == [0]
assert word_lengths(["hello", "you"]) == [5, 3]
assert word_lengths(["xx", "xx"]) == [2, 2]


def swap_pair(pair):
    """Return the tuple of two items with the items swapped."""
    return (pair[1], pair[0])


assert swap_pair((1, 2)) == (2, 1)
assert swap_pair(("a", "b")) == ("b", "a")
assert swap_pair((0, 0)) == (0, 0)
assert swap_pair((None, 1)) == (1, None)
assert swap_pair((5, "x")) == ("x", 5)


def unique_count(items):
    """Return the number of different items in the list."""
    return len(set(items))


assert unique_count([1, 2, 1]) == 2
assert unique_count([]) == 0
assert unique_count([4, 4, 4]) == 1
assert unique_count(["a", "b", "c"]) == 3
assert unique_count([0]) == 1


# --- strings ------------------------------------------------------------------------------------------------------


def reverse_string(s):
    """Return the string s reversed."""
    return s[::-1]


assert reverse_string("abc") == "cba"
assert reverse_string("") == ""
assert reverse_string("a") == "a"
assert reverse_string("hello world") == "dlrow olleh"
assert reverse_string("aab") == "baa"


def is_palindrome(s):
    """Return True if the string s reads the same forwards and backwards."""
    return s == s[::-1]


assert is_palindrome("level") == True
assert is_palindrome("hello") == False
assert is_palindrome("") == True
assert is_palindrome("a") == True
assert is_palindrome("ab") == False
assert is_palindrome("noon") == True


def to_upper(s):
    """Return the string s in upper case."""
    return s.upper()


assert to_upper("abc") == "ABC"
assert to_upper("") == ""
assert to_upper("Hello") == "HELLO"
assert to_upper("a1 b2") == "A1 B2"
assert to_upper("XYZ") == "XYZ"


def to_lower(s):
    """Return the string s in lower case."""
    return s.lower()


assert to_lower("ABC") == "abc"
assert to_lower("") == ""
assert to_lower("Hello") == "hello"
assert to_lower("A1 B2") == "a1 b2"
assert to_lower("xyz") == "xyz"


def string_length(s):
    """Return the number of characters in the string s."""
    return len(s)


assert string_length("hello") == 5
assert string_length("") == 0
assert string_length("a b") == 3
assert string_length("  ") == 2
assert string_length("abcdefghij") == 10


def count_words(s):
    """Return the number of words in the string s."""
    return len(s.split())


assert count_words("hello big world") == 3
assert count_words("") == 0
assert count_words("one") == 1
assert count_words("  two  words ") == 2
assert count_words("a b c d") == 4


def count_vowels(s):
    """Count the vowels in the string s."""
    return sum(1 for c in s if c in "aeiouAEIOU")


assert count_vowels("hello") == 2
assert count_vowels("") == 0
assert count_vowels("xyz") == 0
assert count_vowels("AEIOU") == 5
assert count_vowels("banana") == 3


def count_char(s, c):
    """Return how many times the character c appears in the string s."""
    return s.count(c)


assert count_char("banana", "a") == 3
assert count_char("", "a") == 0
assert count_char("abc", "z") == 0
assert count_char("aaa", "a") == 3
assert count_char("Hello", "l") == 2


def first_char(s):
    """Return the first character of the string s, or an empty string if s is empty."""
    return s[:1]


assert first_char("hello") == "h"
assert first_char("") == ""
assert first_char("x") == "x"
assert first_char(" a") == " "
assert first_char("Zoo") == "Z"


def last_char(s):
    """Return the last character of the string s."""
    return s[-1]


assert last_char("hello") == "o"
assert last_char("x") == "x"
assert last_char("ab") == "b"
assert last_char("a ") == " "
assert last_char("Zoo!") == "!"


def first_word(s):
    """Return the first word of the string s."""
    return s.split()[0]


assert first_word("hello world") == "hello"
assert first_word("one") == "one"
assert first_word("  a b") == "a"
assert first_word("Good morning all") == "Good"
assert first_word("x y z") == "x"


def reverse_words(s):
    """Return the string s with its words in reverse order."""
    return " ".join(reversed(s.split()))


assert reverse_words("hello big world") == "world big hello"
assert reverse_words("") == ""
assert reverse_words("one") == "one"
assert reverse_words("a b") == "b a"
assert reverse_words("x y z") == "z y x"


def capitalize_words(s):
    """Return the string s with the first letter of every word in upper case."""
    return " ".join(word[:1].upper() + word[1:] for word in s.split(" "))


assert capitalize_words("hello world") == "Hello World"
assert capitalize_words("") == ""
assert capitalize_words("a") == "A"
assert capitalize_words("one two three") == "One Two Three"
assert capitalize_words("Already Done") == "Already Done"


def remove_spaces(s):
    """Return the string s without spaces."""
    return s.replace(" ", "")


assert remove_spaces("a b c") == "abc"
assert remove_spaces("") == ""
assert remove_spaces("abc") == "abc"
assert remove_spaces("  x ") == "x"
assert remove_spaces("hello world") == "helloworld"


def remove_vowels(s):
    """Return the string s without the letters a, e, i, o and u."""
    return "".join(c for c in s if c not in "aeiou")


assert remove_vowels("hello") == "hll"
assert remove_vowels("") == ""
assert remove_vowels("xyz") == "xyz"
assert remove_vowels("aeiou") == ""
assert remove_vowels("banana") == "bnn"


def repeat_string(s, n):
    """Return the string s repeated n times."""
    return s * n


assert repeat_string("ab", 3) == "ababab"
assert repeat_string("x", 1) == "x"
assert repeat_string("abc", 0) == ""
assert repeat_string("", 5) == ""
assert repeat_string("a b", 2) == "a ba b"


def starts_with(s, prefix):
    """Return True if the string s starts with prefix."""
    return s.startswith(prefix)


assert starts_with("hello", "he") == True
assert starts_with("hello", "lo") == False
assert starts_with("", "a") == False
assert starts_with("abc", "") == True
assert starts_with("a", "ab") == False


def ends_with(s, suffix):
    """Return True if the string s ends with suffix."""
    return s.endswith(suffix)


assert ends_with("hello", "lo") == True
assert ends_with("hello", "he") == False
assert ends_with("", "a") == False
assert ends_with("abc", "") == True
assert ends_with("b", "ab") == False


def join_words(words):
    """Join the words with a space between them."""
    return " ".join(words)


assert join_words(["hello", "world"]) == "hello world"
assert join_words([]) == ""
assert join_words(["one"]) == "one"
assert join_words(["a", "b", "c"]) == "a b c"
assert join_words(["x", "x"]) == "x x"


def split_words(s):
    """Split the string s into a list of words."""
    return s.split()


assert split_words("hello world") == ["hello", "world"]
assert split_words("") == []
assert split_words("one") == ["one"]
assert split_words(" a  b ") == ["a", "b"]
assert split_words("x y z") == ["x", "y", "z"]


def greet(name):
    """Return a greeting for the name."""
    return f"Hello, {name}!"


assert greet("Ann") == "Hello, Ann!"
assert greet("Bob") == "Hello, Bob!"
assert greet("") == "Hello, !"
assert greet("big world") == "Hello, big world!"
assert greet("Zoë") == "Hello, Zoë!"


def add_exclamation(s):
    """Return the string s with an exclamation mark at the end."""
    return s + "!"


assert add_exclamation("hi") == "hi!"
assert add_exclamation("") == "!"
assert add_exclamation("wow!") == "wow!!"
assert add_exclamation("a b") == "a b!"
assert add_exclamation("No") == "No!"


def is_digit_string(s):
    """Return True if the string s contains only digits."""
    return s.isdigit()


assert is_digit_string("123") == True
assert is_digit_string("12a") == False
assert is_digit_string("") == False
assert is_digit_string("0") == True
assert is_digit_string("-1") == False


def is_upper(s):
    """Return True if all letters of the string s are in upper case."""
    return s.isupper()


assert is_upper("ABC") == True
assert is_upper("AbC") == False
assert is_upper("abc") == False
assert is_upper("A B") == True
assert is_upper("Z") == True


def count_upper(s):
    """Count the upper case letters in the string s."""
    return sum(1 for c in s if c.isupper())


assert count_upper("HeLlo") == 2
assert count_upper("") == 0
assert count_upper("abc") == 0
assert count_upper("ABC") == 3
assert count_upper("A1 b2 C3") == 2


def replace_char(s, old, new):
    """Return the string s with every character old replaced by new."""
    return s.replace(old, new)


assert replace_char("banana", "a", "o") == "bonono"
assert replace_char("", "a", "b") == ""
assert replace_char("abc", "z", "y") == "abc"
assert replace_char("a-b-c", "-", "+") == "a+b+c"
assert replace_char("aaa", "a", "b") == "bbb"


def string_to_int(s):
    """Convert the string s to a whole number."""
    return int(s)


assert string_to_int("42") == 42
assert string_to_int("0") == 0
assert string_to_int("-7") == -7
assert string_to_int("007") == 7
assert string_to_int(" 5 ") == 5


def characters(s):
    """Return a list of the characters of the string s."""
    return list(s)


assert characters("abc") == ["a", "b", "c"]
assert characters("") == []
assert characters("x") == ["x"]
assert characters("a b") == ["a", " ", "b"]
assert characters("oo") == ["o", "o"]


def middle_char(s):
    """Return the middle character of the string s, whose length is odd."""
    return s[len(s) // 2]


assert middle_char("abc") == "b"
assert middle_char("x") == "x"
assert middle_char("hello") == "l"
assert middle_char("racecar") == "e"
assert middle_char("a b") == " "


def are_anagrams(a, b):
    """Return True if the strings a and b have the same letters in any order."""
    return sorted(a) == sorted(b)


assert are_anagrams("listen", "silent") == True
assert are_anagrams("abc", "abd") == False
assert are_anagrams("", "") == True
assert are_anagrams("aab", "abb") == False
assert are_anagrams("ab", "abc") == False


# --- dictionaries -------------------------------------------------------------------------------------------------


def get_value(d, key):
    """Return the value of key in the dictionary d, or None if it is not there."""
    return d.get(key)


assert get_value({"a": 1}, "a") == 1
assert get_value({"a": 1}, "b") is None
assert get_value({}, "x") is None
assert get_value({"x": 0}, "x") == 0
assert get_value({1: "one", 2: "two"}, 2) == "two"


def dict_keys(d):
    """Return a list of the keys of the dictionary d."""
    return list(d)


assert dict_keys({"a": 1, "b": 2}) == ["a", "b"]
assert dict_keys({}) == []
assert dict_keys({"x": 0}) == ["x"]
assert dict_keys({2: "b", 1: "a"}) == [2, 1]
assert dict_keys({"k": "v"}) == ["k"]


def sum_values(d):
    """Return the sum of the values of the dictionary d."""
    return sum(d.values())


assert sum_values({"a": 1, "b": 2}) == 3
assert sum_values({}) == 0
assert sum_values({"x": 5}) == 5
assert sum_values({"a": -1, "b": 1}) == 0
assert sum_values({1: 10, 2: 20, 3: 30}) == 60


def count_letters(s):
    """Return a dictionary that maps each character of s to how often it appears."""
    counts = {}
    for c in s:
        counts[c] = counts.get(c, 0) + 1
    return counts


assert count_letters("aab") == {"a": 2, "b": 1}
assert count_letters("") == {}
assert count_letters("x") == {"x": 1}
assert count_letters("abc") == {"a": 1, "b": 1, "c": 1}
assert count_letters("a a") == {"a": 2, " ": 1}


def merge_dicts(a, b):
    """Return a new dictionary with the items of a and b; where both have a key, take the value of b."""
    return {**a, **b}


assert merge_dicts({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
assert merge_dicts({}, {}) == {}
assert merge_dicts({"a": 1}, {"a": 9}) == {"a": 9}
assert merge_dicts({}, {"x": 0}) == {"x": 0}
assert merge_dicts({"k": 1}, {}) == {"k": 1}


def has_key(d, key):
    """Return True if the dictionary d has the key."""
    return key in d


assert has_key({"a": 1}, "a") == True
assert has_key({"a": 1}, "b") == False
assert has_key({}, "a") == False
assert has_key({"x": None}, "x") == True
assert has_key({1: 2}, 2) == False
