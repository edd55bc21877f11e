//! The checks of a body before it is rendered, and the names of its coding.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use image::ImageFormat;

use crate::deployment::{Deployment, assert_line};
use crate::pictures::{colour, plain};
use crate::proxy::{Call, Fault};

/// The MD5 of nothing, and a CRC32C of other bytes.
const WRONG_MD5: &str = "md5=1B2M2Y8AsgTpgAmY7PhCfg==";
const WRONG_CRC32C: &str = "crc32c=AAAAAA==";

fn photo() -> Vec<u8> {
    plain(640, 480, colour(1), ImageFormat::Jpeg)
}

#[tokio::test]
async fn no_body_is_rendered_that_its_checksum_doesn_t_fit() {
    let cases: [&[&str]; 5] = [
        &[WRONG_MD5],
        &[WRONG_MD5, WRONG_CRC32C],
        &[WRONG_CRC32C, WRONG_MD5],
        &["crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg=="],
        &[],
    ];
    let cloud = Deployment::start(&[]).await;
    for (number, lines) in cases.into_iter().enumerate() {
        let name = format!("{number}.jpg");
        cloud
            .proxy
            .inject(Call::Open, Fault::Hashes(lines), usize::MAX);
        let (generation, answer) = cloud.upload(&name, &photo()).await;
        assert_eq!(answer, 503, "{lines:?}");
        let line = cloud.line(&name, 0).await;
        assert_line(&line, "WARNING", "failed", Some("checksum"));
        assert!(cloud.gcs.list("thumbs").await.len() == number, "{lines:?}");
        cloud.proxy.clear();
        assert_eq!(cloud.app.push("photos", &name, generation).await, 204);
    }
}

#[tokio::test]
async fn a_body_that_only_its_md5_is_told_of_is_rendered_when_it_fits() {
    let cloud = Deployment::start(&[]).await;
    // The MD5 of "not a picture", which shows that all of it was read.
    let fits: &[&str] = &["md5=bpxEACBJlk823gFqee8Q1w=="];
    cloud
        .proxy
        .inject(Call::Open, Fault::Hashes(fits), usize::MAX);
    assert_eq!(cloud.upload("n.jpg", b"not a picture").await.1, 204);
    let line = cloud.line("n.jpg", 0).await;
    assert_line(&line, "WARNING", "refused", Some("not_an_image"));
}

#[tokio::test]
async fn gzip_by_its_other_name_and_with_zeros_behind_it_is_unpacked() {
    let cloud = Deployment::start(&[]).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&photo()).expect("memory takes all");
    let mut packed = encoder.finish().expect("memory takes all");
    packed.extend_from_slice(&[0; 512]);
    for coding in ["gzip", "x-gzip", "X-GZIP"] {
        let name = format!("{coding}.jpg");
        cloud
            .proxy
            .inject(Call::Open, Fault::ContentEncoding(coding), usize::MAX);
        let generation = cloud
            .gcs
            .put_gzip("photos", &name, &packed, "image/jpeg")
            .await;
        assert_eq!(cloud.app.push("photos", &name, generation).await, 204);
        assert_line(&cloud.line(&name, 0).await, "INFO", "created", None);
    }
}
