"""What a power tuning run consists of, one idea a module; power_tuning.run puts them together."""
