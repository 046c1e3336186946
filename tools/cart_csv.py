#!/usr/bin/env python3
"""The example of docs/own-data.md: a log of a cart on a rail, as a CSV file. Usage: cart_csv.py > cart.csv

State: position (m) and speed (m/s); action: motor voltage, -12 to 12 V; one row every 0.1 s. The cart accelerates
with a = 0.25 u - 0.5 v and hits a buffer at |x| = 1.5, which ends the run. The reward wants it at 0 with little power. An
operator's hand moved it to and fro: a slow, noisy spring.
"""
import random

random.seed(1)
print("episode,observations_0,observations_1,actions_0,rewards,next_observations_0,next_observations_1,terminals")
for episode in range(150):
    x, v = random.uniform(-1, 1), random.uniform(-0.5, 0.5)
    for _ in range(60):
        u = max(-12.0, min(12.0, -0.5 * x + random.gauss(0, 8)))
        x2 = x + 0.1 * v
        v2 = v + 0.1 * (0.25 * u - 0.5 * v)
        end = abs(x2) > 1.5
        reward = 1 - x2 * x2 - 0.002 * u * u
        print(f"{episode},{x:.6f},{v:.6f},{u:.6f},{reward:.6f},{x2:.6f},{v2:.6f},{int(end)}")
        x, v = x2, v2
        if end:
            break
