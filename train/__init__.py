# SPDX-License-Identifier: GPL-2.0-or-later
"""The network in PyTorch, the data that it learns from, and its training."""
