"""A plant small enough to be seen at once."""

SMALL = """
[site]
name = "park"
title = "Park"
time_zone = "Asia/Almaty"

[[asset]]
path = "smelter"
level = "area"
type = "smelter"

[[asset]]
path = "smelter/line-1"
level = "line"
type = "potline"
template = "line"
ratings.line_current = { value = 500.0, unit = "kA" }

[[asset]]
path = "smelter/line-1/pot-{01..02}"
level = "unit"
type = "pot"
template = "pot"

[[asset]]
path = "wind"
level = "line"
type = "wind_farm"
template = "wind"

[template.line.line_current]
title = "Line current"
unit = "kA"
kind = "gauge"
stale_after_s = 60

[template.pot.voltage]
title = "Voltage"
unit = "V"
kind = "gauge"
interpolation = "linear"
stale_after_s = 60
deadband = 0.002
limits = [0.0, 60.0]

[template.pot.power]
title = "Power"
unit = "kW"
kind = "gauge"
stale_after_s = 60
product = ["voltage", "../line_current"]

[template.pot.tapped]
title = "Metal tapped"
unit = "kg"
kind = "event"
stale_after_s = 129600

[template.wind.energy]
title = "Energy"
unit = "kWh"
kind = "counter"
modulus = 4294967296
max_rate = 11000
stale_after_s = 300

[[source]]
address = "foreign/farm"
asset = "wind"

[[source]]
address = "foreign/farm/pot"
asset = "smelter/line-1/pot-01"
"""
