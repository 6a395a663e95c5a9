"""How much of what strangers upload is read: past it the process ends, not the service."""

from chassis.quarantine import Bounds

# A scan of 100 pages takes some 20 s, a PNG of a sheet at 600 dpi 200 MB. Callers give up at half a minute, and end it then.
OF_THE_OFFICE = Bounds(320 << 20, 90, 8, 60.0)
# A paper takes 0.02 s; anyone may send anything. Callers give up at 15 s.
OF_STRANGERS = Bounds(192 << 20, 10, 3, 30.0)
