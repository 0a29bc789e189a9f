"""Textual's driver, steady against a keyboard that sends what is no UTF-8: such a key is ignored."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver


class SteadyDriver(LinuxDriver):
    """Reads on after bytes that are none of UTF-8; what else came with them is lost."""

    def run_input_thread(self) -> None:
        """Read keys until the screen ends."""
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
