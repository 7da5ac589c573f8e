//! The writer: the same content gives the same bytes.

use std::fs;

use anyhow::Result;
use image::oci::{File, Image, write};

fn sample() -> Image {
    let file = |path: &str, content: &str| File {
        path: path.to_owned(),
        is_program: false,
        content: content.repeat(1000).into_bytes(),
    };
    Image {
        name: "example.com/sample:1".to_owned(),
        architecture: "amd64".to_owned(),
        entrypoint: vec!["/b".to_owned()],
        created: Some("1970-01-01T00:00:00Z".to_owned()),
        files: vec![file("b", "two"), file("a/c/d", "three"), file("a/b", "one")],
        ..Image::default()
    }
}

#[test]
fn the_order_of_files_and_the_hour_of_writing_change_nothing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (first, second) = (directory.path().join("1"), directory.path().join("2"));
    let mut image = sample();
    let digest = write(&first, &image)?;
    image.files.reverse();
    assert_eq!(write(&second, &image)?, digest);
    assert_eq!(fs::read(&first)?, fs::read(&second)?);

    image.files[0].content.push(b'.');
    assert_ne!(write(&second, &image)?, digest);
    Ok(())
}

#[test]
fn an_archive_tells_its_name_and_digest() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let archive = directory.path().join("archive");
    let digest = write(&archive, &sample())?;
    assert_eq!(image::read::digest(&archive)?, digest);
    assert_eq!(image::read::name(&archive)?, "example.com/sample:1");
    Ok(())
}

#[test]
fn two_files_of_one_path_are_refused() {
    let mut image = sample();
    image.files.push(image.files[0].clone());
    let directory = tempfile::tempdir().expect("a directory");
    let error = write(&directory.path().join("archive"), &image).expect_err("it is refused");
    assert_eq!(error.to_string(), "two files are called b");
}
