//! Generates `generated.rs` from `storage.proto`, Google's published definition of Cloud Storage's gRPC, which is
//! `google/storage/v2/storage.proto` of the npm package google-proto-files 6.0.1, unchanged.
//!
//! Only the two calls that the test server answers are generated, with their messages. Those import nothing but
//! protobuf's own types; the definition's other imports are for other calls, or for options that change nothing about a
//! message.

use std::path::Path;
use std::{env, fs, mem};

use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet, UninterpretedOption};
use protox::file::File;
use protox::prost_reflect::DescriptorPool;

const CALLS: [&str; 2] = ["ListObjects", "DeleteObject"];

/// With the variable `UPDATE_GENERATED`, rewrites the file.
#[test]
fn the_server_is_generated_from_the_published_definition() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/storage_control");
    let definition = fs::read_to_string(folder.join("storage.proto")).expect("it is checked in");
    let made = generate(&definition);
    let path = folder.join("generated.rs");
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &made).expect("the sources can be written");
    }
    let checked_in = fs::read_to_string(&path).expect("it is checked in");
    assert!(
        checked_in == made,
        "{} is out of date: run this test with UPDATE_GENERATED=1",
        path.display()
    );
}

fn generate(definition: &str) -> String {
    let parsed = File::from_source("storage.proto", definition).expect("the definition is sound");
    // The pool has protobuf's own types, and resolves the types of fields.
    let mut pool = DescriptorPool::global();
    pool.add_file_descriptor_proto(narrowed(parsed.into()))
        .expect("the calls need no other type");
    let folder = tempfile::tempdir().expect("a temporary folder");
    tonic_prost_build::configure()
        .build_client(false)
        .out_dir(folder.path())
        .compile_fds(FileDescriptorSet {
            file: pool.file_descriptor_protos().cloned().collect(),
        })
        .expect("the definition can be generated from");
    fs::read_to_string(folder.path().join("google.storage.v2.rs")).expect("it was generated")
}

/// Keeps only the two calls and their messages.
fn narrowed(published: FileDescriptorProto) -> FileDescriptorProto {
    let mut file = FileDescriptorProto {
        enum_type: Vec::new(),
        options: None,
        // It refers to positions in the whole file.
        source_code_info: None,
        ..published
    };
    file.dependency
        .retain(|import| import.starts_with("google/protobuf/"));
    let mut wanted = Vec::new();
    for service in &mut file.service {
        service.options = None;
        service
            .method
            .retain(|call| CALLS.contains(&call.name.as_deref().unwrap_or_default()));
        for call in &mut service.method {
            call.options = None;
            wanted.extend(call.input_type.clone());
            wanted.extend(call.output_type.clone());
        }
    }
    let mut messages = mem::take(&mut file.message_type);
    while let Some(name) = wanted.pop() {
        let found = messages.extract_if(.., |message| message.name.as_ref() == Some(&name));
        for mut message in found {
            narrow(&mut message, &mut wanted);
            file.message_type.push(message);
        }
    }
    file
}

/// Keeps only protobuf's own options, and collects the types of the fields.
fn narrow(message: &mut DescriptorProto, types: &mut Vec<String>) {
    let own = |option: &UninterpretedOption| !option.name.iter().any(|part| part.is_extension);
    if let Some(options) = &mut message.options {
        options.uninterpreted_option.retain(own);
    }
    for field in &mut message.field {
        if let Some(options) = &mut field.options {
            options.uninterpreted_option.retain(own);
        }
        types.extend(field.type_name.clone());
    }
    for nested in &mut message.nested_type {
        narrow(nested, types);
    }
}
