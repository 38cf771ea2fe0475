module fairlead.test/bench/control

go 1.24
