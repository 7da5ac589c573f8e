//! The options, which `tests/tools/demo_launcher/src/help.txt` explains.

use clap::{Parser, ValueEnum};

/// What to show, where, and with which AWS.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo demo")]
pub(crate) struct Args {
    /// Leave the cluster running.
    #[arg(long, conflicts_with = "context")]
    pub(crate) keep: bool,

    /// Use the cluster of this context.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// Start no node.
    #[arg(long)]
    pub(crate) no_pod: bool,

    /// Ask the real STS.
    #[arg(long)]
    pub(crate) aws: bool,

    /// Take the pair from this profile.
    #[arg(long, value_name = "NAME", requires = "aws")]
    pub(crate) profile: Vec<String>,

    /// Ask the STS of this region.
    #[arg(long, value_name = "REGION", default_value = "eu-west-1")]
    pub(crate) region: String,

    /// List this bucket.
    #[arg(long, value_name = "NAME", requires = "aws")]
    pub(crate) bucket: Option<String>,

    /// Be the process that keeps the cluster, and write for another process that shows the output.
    #[arg(long, hide = true)]
    pub(crate) hold: Option<Place>,
}

/// Where the demo is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Place {
    /// On a terminal.
    Terminal,
    /// In a file or pipe.
    Pipe,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_help_explains_every_option_and_no_other() {
        let help = include_str!("../../../../demo_launcher/src/help.txt");
        let command = Args::command();
        let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
        let mut known: Vec<String> = shown
            .filter_map(|arg| Some(format!("--{}", arg.get_long()?)))
            .collect();
        known.push("--help".to_owned());
        let words = help.split_whitespace();
        let mut explained: Vec<String> = words
            .filter(|word| word.len() > 2 && word.starts_with("--"))
            .map(str::to_owned)
            .collect();
        known.sort();
        explained.sort();
        explained.dedup();
        assert_eq!(known, explained);
    }
}
