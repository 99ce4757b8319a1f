# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures and clips that the network learns from."""
