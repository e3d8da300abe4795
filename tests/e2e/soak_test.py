"""Ten minutes of soak on the small model: soak.py says what is measured and how much is allowed."""

import unittest

import soak


class Soak(unittest.TestCase):
    def test_nothing_grows(self):
        self.assertEqual(soak.run(600, small=True), [])

    def test_a_leak_would_be_seen(self):
        steady = [100.0 + (i % 3) for i in range(30)]
        self.assertLess(abs(soak.growth(steady)), 2)
        self.assertAlmostEqual(soak.growth([float(i) for i in range(30)]), 19.0)


if __name__ == '__main__':
    unittest.main(verbosity=2)
