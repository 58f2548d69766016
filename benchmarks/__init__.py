"""Measurements that hold on a noisy machine: contenders run side by side against one simulator, ratios are compared."""
