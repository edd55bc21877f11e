use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{Event, EventKind, Malformed};

const RESOURCE: &str =
    r#"{"kind":"storage#object","bucket":"b","name":"n.jpg","generation":"7","size":"12"}"#;

fn parse(headers: &[(&str, &str)], body: &str) -> Result<Event, Malformed> {
    let header = |name: &str| {
        headers
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_bytes())
    };
    Event::parse(header, body.as_bytes())
}

fn envelope(message: &Value) -> String {
    json!({ "message": message, "subscription": "projects/p/subscriptions/s" }).to_string()
}

#[test]
fn the_smallest_envelope_means_the_live_version_was_finalized() {
    let data = BASE64_STANDARD.encode(r#"{"bucket":"b","name":"n.jpg"}"#);
    let event = parse(&[], &json!({ "message": { "data": data } }).to_string()).unwrap();
    assert_eq!(event.kind, EventKind::Finalized);
    assert_eq!((event.bucket.as_str(), event.name.as_str()), ("b", "n.jpg"));
    assert_eq!(event.generation, None);
}

#[test]
fn attributes_alone_suffice() {
    let message = json!({ "attributes": {
        "eventType": "OBJECT_FINALIZE", "payloadFormat": "NONE", "bucketId": "b", "objectId": "n.jpg",
        "objectGeneration": "7" }, "messageId": "1", "message_id": "1", "publishTime": "x", "publish_time": "x" });
    let event = parse(&[], &envelope(&message)).unwrap();
    assert_eq!(event.generation.unwrap().get(), 7);
    assert_eq!(event.message_id.as_deref(), Some("1"));
}

#[test]
fn attributes_win_over_the_payload() {
    let message = json!({ "data": BASE64_STANDARD.encode(RESOURCE), "attributes": {
        "eventType": "OBJECT_METADATA_UPDATE", "bucketId": "c", "objectId": "m.png", "objectGeneration": "9" } });
    let event = parse(&[], &envelope(&message)).unwrap();
    assert_eq!(event.kind, EventKind::Other);
    assert_eq!((event.bucket.as_str(), event.name.as_str()), ("c", "m.png"));
    assert_eq!(event.generation.unwrap().get(), 9);
    assert_eq!(event.size, Some(12));
}

#[test]
fn the_delivery_attempt_and_either_spelling_of_the_id_are_read() {
    let body = json!({ "deliveryAttempt": 5, "message": {
        "data": BASE64_STANDARD.encode(RESOURCE), "message_id": "42", "unknown": [1] }, "more": {} });
    let event = parse(&[], &body.to_string()).unwrap();
    assert_eq!(
        (event.delivery_attempt, event.message_id.as_deref()),
        (Some(5), Some("42"))
    );
}

#[test]
fn numbers_may_be_strings_and_strings_numbers() {
    let event = parse(
        &[],
        r#"{"bucket":"b","name":"n.jpg","generation":7,"size":12}"#,
    )
    .unwrap();
    assert_eq!((event.generation.unwrap().get(), event.size), (7, Some(12)));
    assert_eq!(
        parse(&[], r#"{"bucket":"b","name":"n.jpg","generation":"0"}"#)
            .unwrap()
            .generation,
        None
    );
}

#[test]
fn base64_may_be_url_safe_and_unpadded() {
    let resource = r#"{"bucket":"b","name":"???>>>~~~.jpg"}"#;
    for data in [
        BASE64_URL_SAFE_NO_PAD.encode(resource),
        BASE64_STANDARD.encode(resource),
    ] {
        let event = parse(&[], &envelope(&json!({ "data": data }))).unwrap();
        assert_eq!(event.name.as_str(), "???>>>~~~.jpg", "{data}");
    }
}

#[test]
fn a_cloud_event_in_binary_mode_is_the_resource_and_its_headers() {
    let finalized = [
        ("ce-type", "google.cloud.storage.object.v1.finalized"),
        ("ce-id", "e1"),
    ];
    let event = parse(&finalized, RESOURCE).unwrap();
    assert_eq!(
        (event.kind, event.message_id.as_deref()),
        (EventKind::Finalized, Some("e1"))
    );
    let updated = [("ce-type", "google.cloud.storage.object.v1.metadataUpdated")];
    assert_eq!(parse(&updated, RESOURCE).unwrap().kind, EventKind::Other);
}

#[test]
fn a_cloud_event_in_structured_mode_is_the_same() {
    let resource: Value = serde_json::from_str(RESOURCE).unwrap();
    let event = |kind: &str, data: &Value| {
        json!({ "specversion": "1.0", "id": "e1", "source": "x", "type": kind, "data": data })
            .to_string()
    };
    let finalized = parse(
        &[],
        &event("google.cloud.storage.object.v1.finalized", &resource),
    )
    .unwrap();
    assert_eq!(
        (finalized.kind, finalized.name.as_str()),
        (EventKind::Finalized, "n.jpg")
    );
    let deleted = parse(
        &[],
        &event("google.cloud.storage.object.v1.deleted", &resource),
    )
    .unwrap();
    assert_eq!(deleted.kind, EventKind::Deleted { overwritten: true });
    let in_base64 = json!({ "specversion": "1.0", "type": "google.cloud.storage.object.v1.finalized",
        "data_base64": BASE64_STANDARD.encode(RESOURCE) });
    assert_eq!(
        parse(&[], &in_base64.to_string()).unwrap().name.as_str(),
        "n.jpg"
    );
}

#[test]
fn a_published_message_as_a_cloud_event_is_an_envelope_in_both_modes() {
    let message = json!({ "data": BASE64_STANDARD.encode(RESOURCE), "messageId": "1" });
    let published = "google.cloud.pubsub.topic.v1.messagePublished";
    let binary = parse(
        &[("ce-type", published), ("ce-id", "e1")],
        &envelope(&message),
    )
    .unwrap();
    let structured =
        json!({ "specversion": "1.0", "id": "e1", "type": published, "data": { "message": message } }).to_string();
    for event in [binary, parse(&[], &structured).unwrap()] {
        assert_eq!(
            (event.kind, event.message_id.as_deref()),
            (EventKind::Finalized, Some("1"))
        );
        assert_eq!(event.generation.unwrap().get(), 7);
    }
}

#[test]
fn a_background_function_s_call_names_its_event_in_the_context() {
    let resource: Value = serde_json::from_str(RESOURCE).unwrap();
    let call = |kind: &str| {
        let context = json!({ "eventId": "e1", "timestamp": "2026-01-02T03:04:05.678Z",
            "eventType": format!("google.storage.object.{kind}"),
            "resource": { "service": "storage.googleapis.com", "name": "projects/_/buckets/b/objects/n.jpg",
                "type": "storage#object" } });
        let body = json!({ "context": context, "data": resource });
        parse(&[], &body.to_string()).unwrap()
    };
    let finalized = call("finalize");
    assert_eq!(
        (finalized.kind, finalized.name.as_str(), finalized.size),
        (EventKind::Finalized, "n.jpg", Some(12))
    );
    assert_eq!(finalized.generation.unwrap().get(), 7);
    assert_eq!(finalized.message_id.as_deref(), Some("e1"));
    let overwritten = true;
    assert_eq!(call("delete").kind, EventKind::Deleted { overwritten });
    assert_eq!(call("archive").kind, EventKind::Archived { overwritten });
    assert_eq!(call("metadataUpdate").kind, EventKind::Other);
}

#[test]
fn an_unwrapped_push_has_its_attributes_as_headers() {
    let headers = [
        ("eventtype", "OBJECT_DELETE"),
        ("overwrittenbygeneration", "8"),
        ("bucketid", "b"),
        ("objectid", "Été/n.jpg"),
        ("objectgeneration", "7"),
        ("x-goog-pubsub-message-id", "2"),
    ];
    for body in ["", RESOURCE] {
        let event = parse(&headers, body).unwrap();
        assert_eq!(event.kind, EventKind::Deleted { overwritten: true });
        assert_eq!(
            (event.name.as_str(), event.message_id.as_deref()),
            ("Été/n.jpg", Some("2"))
        );
    }
    assert_eq!(parse(&[], RESOURCE).unwrap().kind, EventKind::Finalized);
}

#[test]
fn event_types_are_told_apart() {
    let kind = |name: &str| {
        let attributes = json!({ "eventType": name, "bucketId": "b", "objectId": "n.jpg" });
        parse(&[], &envelope(&json!({ "attributes": attributes })))
            .unwrap()
            .kind
    };
    assert_eq!(
        kind("OBJECT_DELETE"),
        EventKind::Deleted { overwritten: false }
    );
    assert_eq!(
        kind("OBJECT_ARCHIVE"),
        EventKind::Archived { overwritten: false }
    );
    for other in [
        "OBJECT_METADATA_UPDATE",
        "OBJECT_INITIALIZE",
        "OBJECT_TELEPORT",
    ] {
        assert_eq!(kind(other), EventKind::Other);
    }
}

#[test]
fn our_marker_is_seen_in_any_case() {
    let resource =
        |key: &str| format!(r#"{{"bucket":"b","name":"n.jpg","metadata":{{"{key}":"1"}}}}"#);
    let marked = |key: &str| {
        let details = parse(&[], &resource(key)).unwrap().details;
        details.unwrap().is_marked()
    };
    assert!(marked("gcs-thumbnailer") && marked("Gcs-Thumbnailer"));
    assert!(!marked("owner"));
}

#[test]
fn what_is_not_needed_may_have_any_type() {
    let body = r#"{"bucket":"b","name":"n.jpg","id":7,"type":[],"specversion":null,"size":{},"metadata":"x"}"#;
    let event = parse(&[], body).unwrap();
    assert_eq!(
        (event.name.as_str(), event.size, event.details),
        ("n.jpg", None, None)
    );
}

#[test]
fn only_a_whole_resource_has_details() {
    let details = |body: &str| parse(&[], body).unwrap().details;
    assert_eq!(
        details(r#"{"bucket":"b","name":"n.jpg","generation":"7","size":"9"}"#),
        None
    );
    let whole = r#"{"bucket":"b","name":"n.jpg","contentType":"image/webp","timeCreated":"2026-01-02T03:04:05.678Z"}"#;
    let told = details(whole).unwrap();
    assert_eq!(told.content_type.as_deref(), Some("image/webp"));
    assert!(told.metadata.is_empty());
    let with_metadata = r#"{"bucket":"b","name":"n.jpg","metadata":{"Mixed-Case":"X","n":7}}"#;
    let metadata = details(with_metadata).unwrap().metadata;
    assert_eq!(
        (metadata["Mixed-Case"].as_str(), metadata["n"].as_str()),
        ("X", "")
    );
}

#[test]
fn whatever_is_no_notification_is_malformed() {
    let json = |body: &str| matches!(parse(&[], body), Err(Malformed::Json(_)));
    assert!(json("nonsense"));
    assert!(json(r#"{"message":"text"}"#));
    assert!(json(&envelope(
        &serde_json::json!({ "data": BASE64_STANDARD.encode("not json") })
    )));
    assert!(json(&r#"{"id":"#.repeat(100_000)));
    assert_eq!(parse(&[], &"[".repeat(100_000)), Err(Malformed::Batch));
    assert!(json(&r#"{"data":"#.repeat(100_000)));
    assert_eq!(
        parse(&[], &envelope(&serde_json::json!({ "data": "*" }))),
        Err(Malformed::Base64)
    );
    assert_eq!(parse(&[], "{}"), Err(Malformed::NoBucket));
    assert_eq!(parse(&[], ""), Err(Malformed::NoBucket));
    assert_eq!(parse(&[], r#"{"bucket":"b"}"#), Err(Malformed::NoName));
    for broken in [
        r#"{"bucket":"x/../y","name":"n"}"#,
        r#"{"bucket":"b","name":""}"#,
        r#"{"bucket":"b","name":"n","generation":-1}"#,
    ] {
        assert!(
            matches!(parse(&[], broken), Err(Malformed::Name(_))),
            "{broken}"
        );
    }
}

#[test]
fn an_array_is_no_object_however_deep_it_lies() {
    let data = json!(BASE64_STANDARD.encode(RESOURCE));
    let in_base64 = BASE64_STANDARD.encode("[]");
    for body in [
        json!({ "message": [data, null, "1", null] }),
        json!({ "message": { "attributes": ["OBJECT_FINALIZE", "b", "n.jpg", "7", null] } }),
        json!({ "message": { "data": in_base64 } }),
        json!({ "specversion": "1.0", "data": [{ "data": data }] }),
        json!({ "specversion": "1.0", "data_base64": in_base64 }),
    ] {
        let refused = parse(&[], &body.to_string());
        assert!(
            matches!(refused, Err(Malformed::Json(_))),
            "{body}: {refused:?}"
        );
    }
}

#[test]
fn a_batch_is_told_how_to_come() {
    let event = json!({ "specversion": "1.0", "id": "e1", "source": "x",
        "type": "google.cloud.storage.object.v1.finalized", "data": { "bucket": "b", "name": "n.jpg" } });
    let message = json!({ "data": BASE64_STANDARD.encode(RESOURCE) });
    for batch in [json!([]), json!([event, event]), json!([message])] {
        let refused = parse(&[], &format!(" \n{batch}"));
        assert_eq!(refused, Err(Malformed::Batch), "{batch}");
    }
    let told = Malformed::Batch.to_string();
    assert!(told.contains("application/cloudevents+json"), "{told}");
}

#[test]
fn an_audit_log_s_event_is_told_what_to_use_instead() {
    let written = "google.cloud.audit.log.v1.written";
    let entry = json!({ "insertId": "i", "logName": "projects/p/logs/cloudaudit.googleapis.com%2Fdata_access",
        "resource": { "type": "gcs_bucket", "labels": { "bucket_name": "b" } }, "protoPayload": {
        "methodName": "storage.objects.create", "resourceName": "projects/_/buckets/b/objects/n.jpg" } });
    let structured = json!({ "specversion": "1.0", "id": "e1", "type": written, "data": entry });
    let message = json!({ "data": BASE64_STANDARD.encode(entry.to_string()) });
    for (headers, body) in [
        (vec![("ce-type", written)], entry.to_string()),
        (vec![("ce-type", written)], "{}".to_owned()),
        (vec![], structured.to_string()),
        (vec![], envelope(&message)),
    ] {
        assert_eq!(parse(&headers, &body), Err(Malformed::AuditLog), "{body}");
    }
    let told = Malformed::AuditLog.to_string();
    assert!(
        told.contains("google.cloud.storage.object.v1.finalized"),
        "{told}"
    );
}
