"""The colours: one theme, calm and dark. Style sheets and pages name them only as $variables."""

from __future__ import annotations

from textual.theme import Theme

CALM = Theme(
    name="calm",
    dark=True,
    primary="#82aadc",
    secondary="#6f8299",
    accent="#c8a2e0",
    foreground="#d3dae3",
    background="#11151b",
    surface="#161b22",
    panel="#1f2731",
    success="#8fc98b",
    warning="#e3b86b",
    error="#ee7f7c",
    variables={
        "frame": "#3a4553",
        "frame-focus": "#82aadc",
        "quiet": "#8593a3",
        "cursor": "#263243",
        "cursor-blurred": "#1d2530",
        "footer-key-foreground": "#82aadc",
        "footer-description-foreground": "#b4bfcc",
        "footer-background": "#11151b",
        "footer-item-background": "#11151b",
        "footer-key-background": "#11151b",
        "footer-description-background": "#11151b",
        "block-cursor-background": "#2b3a4e",
        "block-cursor-foreground": "#eef2f7",
        "block-cursor-text-style": "bold",
        "input-selection-background": "#82aadc 35%",
        "scrollbar": "#2b3542",
        "scrollbar-hover": "#3a4553",
        "scrollbar-active": "#82aadc",
        "scrollbar-background": "#11151b",
        "scrollbar-background-hover": "#11151b",
        "scrollbar-background-active": "#11151b",
        "scrollbar-corner-color": "#11151b",
    },
)
