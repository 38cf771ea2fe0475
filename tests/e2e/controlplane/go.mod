module fairlead.test/controlplane

go 1.24
