//! Whatever users, AWS and clocks do.
