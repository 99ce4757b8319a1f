# SPDX-License-Identifier: GPL-2.0-or-later
"""The network in PyTorch, and the files that it shares with the engine."""
