//! The issue forms: what GitHub requires of a form, and what a report needs.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::pages::{ROOT, parsed, text};

const FORMS: &str = ".github/ISSUE_TEMPLATE";
/// The settings of the list of forms, which GitHub finds only under this name.
const CHOOSER: &str = "config.yml";
/// Languages by which GitHub highlights the text of a field. GitHub knows more.
const LANGUAGES: [&str; 6] = ["console", "diff", "json", "shell", "text", "yaml"];

#[test]
fn issue_forms_have_what_the_forge_requires() -> Result<()> {
    for (name, form) in forms()? {
        check(&form).context(name)?;
    }
    Ok(())
}

#[test]
fn what_the_forge_refuses_in_a_form_is_found() -> Result<()> {
    check(&example())?;
    for (place, wrong) in [
        ("/name", json!("")),
        ("/description", json!(true)),
        ("/title", json!("")),
        ("/title", json!(1.2)),
        ("/labels/0", json!(false)),
        ("/labels/0", json!("triage")),
        ("/body", json!([])),
        ("/body/0/type", json!("text")),
        ("/body/0/id", json!("what happened")),
        ("/body/0/attributes/label", json!(7)),
        ("/body/0/attributes/label", json!(" ")),
        ("/body/0/attributes/render", json!("unknown")),
        ("/body/1/id", json!("problem")),
        ("/body/1/attributes/label", json!("Problem")),
        ("/body/1/attributes/options/0", json!("None")),
        ("/body/1/attributes/options/0", json!(true)),
        ("/body/1/attributes/options/0", json!("Other")),
        ("/body/1/attributes/render", json!("text")),
        ("/body/2/attributes/options/0/label", json!(7)),
        ("/body/2/attributes/options/0/label", json!("Read")),
    ] {
        let mut form = example();
        let (parent, key) = place.rsplit_once('/').context(place)?;
        let parent = form.pointer_mut(parent).context(place)?;
        match parent {
            Value::Array(list) => list[key.parse::<usize>()?] = wrong.clone(),
            other => other[key] = wrong.clone(),
        }
        ensure!(check(&form).is_err(), "{place}: {wrong}");
    }
    Ok(())
}

#[test]
fn a_report_of_a_bug_has_what_is_needed_to_repeat_it() -> Result<()> {
    let form = parsed(&Path::new(FORMS).join("bug.yaml"))?;
    let field = |id: &str| {
        let mut fields = fields(&form);
        fields
            .find(|field| field["id"] == id)
            .context(id.to_owned())
    };
    for id in ["version", "kubernetes", "install", "problem", "resource"] {
        ensure!(field(id)?["validations"]["required"] == true, "{id}");
    }
    for (id, command) in [
        ("kubernetes", "`kubectl version`"),
        ("resource", "`kubectl -n NAMESPACE describe awscreds NAME`"),
        ("log", "`kubectl -n static-aws-credentials logs "),
    ] {
        let description = &field(id)?["attributes"]["description"];
        ensure!(text(description).contains(command), "{id}: {description}");
    }
    Ok(())
}

#[test]
fn no_form_asks_for_a_secret_and_each_has_the_author_confirm_that_there_is_none() -> Result<()> {
    for (name, form) in forms()? {
        let is_text = |field: &&Value| field["type"] == "markdown";
        let is_confirmation = |field: &&Value| field["type"] == "checkboxes";
        let questions = fields(&form).filter(|field| !is_text(field) && !is_confirmation(field));
        for question in questions {
            let words = question.to_string().to_lowercase();
            ensure!(!words.contains("secret"), "{name}: {question}");
        }
        let mut boxes = fields(&form).filter(is_confirmation).flat_map(options);
        let confirms = boxes.any(|choice| {
            choice["required"] == true && text(&choice["label"]).contains("no content of a Secret")
        });
        ensure!(confirms, "{name}: nobody confirms it");
    }
    Ok(())
}

#[test]
fn an_issue_is_written_with_a_form() -> Result<()> {
    let settings = parsed(&Path::new(FORMS).join(CHOOSER))?;
    ensure!(settings["blank_issues_enabled"] == false, "{settings}");
    Ok(())
}

/// Every issue form with its name.
fn forms() -> Result<Vec<(String, Value)>> {
    let mut forms = Vec::new();
    for entry in fs::read_dir(Path::new(ROOT).join(FORMS))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name != CHOOSER {
            let form = parsed(&Path::new(FORMS).join(&name))?;
            forms.push((name, form));
        }
    }
    ensure!(forms.len() > 1, "the forms are found");
    Ok(forms)
}

fn fields(form: &Value) -> impl Iterator<Item = &Value> {
    form["body"].as_array().into_iter().flatten()
}

fn options(field: &Value) -> impl Iterator<Item = &Value> {
    let options = field["attributes"]["options"].as_array();
    options.into_iter().flatten()
}

/// A form with every part that is checked.
fn example() -> Value {
    let attributes = json!({"label": "Problem", "render": "text"});
    let problem = json!({"type": "textarea", "id": "problem", "attributes": attributes});
    let attributes = json!({"label": "Install", "options": ["Helm", "Other"]});
    let install = json!({"type": "dropdown", "id": "install", "attributes": attributes});
    let boxes = json!([{"label": "Checked"}, {"label": "Read"}]);
    let attributes = json!({"label": "Confirmation", "options": boxes});
    let confirmation =
        json!({"type": "checkboxes", "id": "confirmation", "attributes": attributes});
    json!({
        "name": "Bug",
        "description": "What is wrong",
        "title": "Bug: ",
        "labels": ["bug", "triage"],
        "body": [problem, install, confirmation],
    })
}

/// Fails if GitHub refuses the form. GitHub refuses an empty text, and what YAML reads as other than text.
fn check(form: &Value) -> Result<()> {
    for key in ["name", "description"] {
        ensure!(text(&form[key]).len() > 2, "no {key}");
    }
    let title = form.get("title");
    ensure!(title.is_none_or(is_filled), "title: {title:?}");
    let labels = form.get("labels");
    let are_labels = labels.is_none_or(|labels| distinct(labels).is_some());
    ensure!(are_labels, "labels: {labels:?}");
    let (mut ids, mut labels) = (BTreeSet::new(), BTreeSet::new());
    for field in fields(form) {
        check_field(field)?;
        if field["type"] == "markdown" {
            continue;
        }
        let (id, label) = (text(&field["id"]), &field["attributes"]["label"]);
        ensure!(is_id(id) && ids.insert(id), "{field}: no id of its own");
        let is_new = labels.insert(text(label));
        ensure!(is_filled(label) && is_new, "{field}: no label of its own");
    }
    ensure!(ids.len() > 1, "the form asks for nothing");
    Ok(())
}

/// The same for the attributes of a field.
fn check_field(field: &Value) -> Result<()> {
    let attributes = &field["attributes"];
    let kind = text(&field["type"]);
    let is_valid = match kind {
        "markdown" => is_filled(&attributes["value"]),
        "input" | "textarea" => true,
        "dropdown" => are_choices(&attributes["options"]),
        "checkboxes" => {
            let labels = options(field).map(|choice| choice["label"].clone());
            let labels: Value = labels.collect();
            distinct(&labels).is_some_and(|texts| !texts.is_empty())
        }
        other => bail!("{field}: {other}"),
    };
    ensure!(is_valid, "{field}");
    let render = attributes.get("render");
    let is_known = |language: &Value| kind == "textarea" && LANGUAGES.contains(&text(language));
    ensure!(render.is_none_or(is_known), "{field}: {render:?}");
    Ok(())
}

fn is_filled(value: &Value) -> bool {
    !text(value).trim().is_empty()
}

/// The texts of a list, or nothing if a value of the list is no text, empty, or there twice.
fn distinct(list: &Value) -> Option<BTreeSet<&str>> {
    let list = list.as_array()?;
    let filled = list.iter().filter(|value| is_filled(value));
    let texts: BTreeSet<&str> = filled.map(text).collect();
    (texts.len() == list.len()).then_some(texts)
}

/// Whether these are different texts, without the word for no choice, which GitHub adds itself.
fn are_choices(options: &Value) -> bool {
    let is_reserved = |choice: &str| choice.eq_ignore_ascii_case("none");
    distinct(options).is_some_and(|texts| texts.len() > 1 && !texts.into_iter().any(is_reserved))
}

fn is_id(id: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    !id.is_empty() && id.bytes().all(is_sign)
}
