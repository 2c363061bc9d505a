"""Stopping rules for training loops of one's own; `RobustStopping` is the one to use.

It needs nothing but the standard library: importing it imports neither numpy nor torch.
"""

from numlint.runtime.lab.stopping import RobustStopping

__all__ = ["RobustStopping"]
