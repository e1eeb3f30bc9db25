"""The pages of the console, each with what is worth a look besides: a new page is a new line."""

from typing import Final

PLACES: Final = (
    "overview",
    "potroom",
    "potroom/smelter/potline-1?colour=temperature&pot=003",
    "refinery",
    "energy",
    "kpis?span=hour",
    "kpis/smelter/potline-1?kpi=dc_specific_energy&span=hour",
    "trends",
    "trends?tags=smelter/potline-1/line_current,smelter/potline-1/pot-001/voltage&span=hour",
    "alarms",
    "report",
    "health",
)
#: Languages by their code, each with the locale of its speakers and a word of its own.
LANGUAGES: Final = {
    "en": ("en-GB", "Overview"),
    "ru": ("ru-RU", "Обзор"),
    "kk": ("kk-KZ", "Шолу"),
    "zh": ("zh-CN", "总览"),
}
THEMES: Final = ("light", "dark")
SIZES: Final = {
    "phone": (390, 844),
    "tablet": (820, 1180),
    "desktop": (1440, 900),
    "wall": (3840, 2160),
}


def page_of(place: str) -> str:
    """The name of the page at *place*."""
    return place.partition("?")[0].partition("/")[0]
