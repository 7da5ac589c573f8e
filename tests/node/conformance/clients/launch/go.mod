module conformance.test/launch

go 1.26
