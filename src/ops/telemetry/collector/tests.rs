//! Collector addresses that `--otlp-endpoint` accepts.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use crate::ops::telemetry::Collector;

#[test]
fn what_is_an_address_of_a_collector() {
    for (text, shown) in [
        ("http://collector:4318", "http://collector:4318"),
        (
            "http://collector.monitoring:4318/",
            "http://collector.monitoring:4318",
        ),
        ("http://10.0.0.7:80", "http://10.0.0.7:80"),
        ("http://[::1]:4318", "http://[::1]:4318"),
    ] {
        let collector = text
            .parse()
            .map(|collector: Collector| collector.to_string());
        assert_eq!(collector.as_deref(), Ok(shown), "{text}");
    }
}

#[test]
fn what_is_none_is_refused_with_an_example() {
    for text in [
        "",
        "collector:4318",
        "https://collector:4318",
        "http://",
        "http://user:password@collector:4318",
        "http://collector:4318/v1/traces",
        "http://collector:4318?key=value",
        "grpc://collector:4317",
        "http://collector:port",
        "http://collector:",
        "http://collector:+80",
        "http://collector:65536",
    ] {
        let refused = text.parse::<Collector>().map_err(|error| error.to_string());
        let Err(words) = refused else {
            panic!("{text} is taken");
        };
        assert!(
            words.contains("http://collector.monitoring:4318"),
            "{words}"
        );
        assert!(!words.contains("password"), "{words}");
    }
}
