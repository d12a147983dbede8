module tcpretrans/lab/traffic

go 1.26.0
