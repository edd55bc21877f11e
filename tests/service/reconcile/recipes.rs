//! Several renditions of each source: which are missing, stale or orphans, whatever their names are.

use std::collections::BTreeMap;

use image::ImageFormat;

use super::{Ended, Folder, gather, picture};
use crate::pictures::{colour, plain};

const LISTED: &str = "--rendition=t/{name}?size=40x40";
const LOOKED_AT: &str = "--rendition={dir}small/{stem}.png?size=20x20";
const OTHER_RECIPE: &str = "--rendition={dir}small/{stem}.png?size=20x20&fit=cover";

impl Folder {
    async fn compare(&self, renditions: [&str; 2], more: &[&str]) -> Ended {
        let arguments = [&["photos"], &renditions[..], more].concat();
        self.run(&arguments).await
    }

    fn outputs(&self) -> Vec<String> {
        let root = self.0.path().join("thumbs");
        let mut found = BTreeMap::new();
        gather(&root, &root, &mut found);
        found.into_keys().collect()
    }
}

#[tokio::test]
async fn what_is_missing_or_stale_is_found_whatever_the_names_are() {
    let folder = Folder::new();
    let both = [LISTED, LOOKED_AT];
    for name in ["a/kept.png", "a/replaced.png", "a/lost.png"] {
        folder.put("photos", name, &picture(1));
    }
    let first = folder.compare(both, &[]).await;
    assert_eq!((first.count("missing"), first.count("made")), (3, 3));
    let all = folder.outputs();
    assert_eq!(
        all,
        [
            "a/small/kept.png",
            "a/small/lost.png",
            "a/small/replaced.png",
            "t/a/kept.png",
            "t/a/lost.png",
            "t/a/replaced.png",
        ]
    );
    folder.put("photos", "a/replaced.png", &picture(2));
    folder.remove("thumbs", "a/small/lost.png");
    let dry = folder.compare(both, &["--dry-run"]).await;
    assert_eq!(dry.names("missing"), ["a/lost.png"]);
    assert_eq!(dry.names("stale"), ["a/replaced.png"]);
    assert_eq!(dry.count("current"), 1);
    assert_eq!(folder.outputs().len(), 5, "a dry run does nothing");

    let made = folder.compare(both, &[]).await;
    assert_eq!((made.count("made"), made.count("current")), (2, 1));
    assert_eq!(folder.outputs(), all);

    let changed = [LISTED, OTHER_RECIPE];
    let dry = folder.compare(changed, &["--dry-run"]).await;
    assert_eq!((dry.count("stale"), dry.count("current")), (3, 0));
    assert_eq!(folder.compare(changed, &[]).await.count("made"), 3);
    let after = folder.compare(changed, &[]).await;
    assert_eq!((after.count("made"), after.count("current")), (0, 3));
}

#[tokio::test]
async fn orphans_are_found_and_pruned_whatever_their_names_are() {
    let folder = Folder::new();
    let both = [LISTED, LOOKED_AT];
    for name in ["a/kept.png", "a/deleted.png"] {
        folder.put("photos", name, &picture(1));
    }
    folder.compare(both, &[]).await;
    folder.put("thumbs", "a/small/by-hand.png", &picture(1));
    folder.remove("photos", "a/deleted.png");
    let before = folder.outputs();
    let dry = folder.compare(both, &["--prune", "--dry-run"]).await;
    assert_eq!(dry.names("orphan"), ["a/deleted.png"; 2]);
    assert_eq!(dry.count("orphans"), 2);
    assert_eq!(folder.outputs(), before, "a dry run does nothing");
    // A deployment that has only one of the renditions deletes only that one's orphan.
    let other = "--rendition={dir}elsewhere/{stem}.png?size=20x20";
    let ended = folder.compare([LISTED, other], &["--prune"]).await;
    assert_eq!((ended.count("orphans"), ended.count("pruned")), (1, 1));
    let ended = folder.compare(both, &["--prune"]).await;
    assert_eq!((ended.count("orphans"), ended.count("pruned")), (1, 1));
    assert_eq!(
        folder.outputs(),
        [
            "a/elsewhere/kept.png",
            "a/small/by-hand.png",
            "a/small/kept.png",
            "t/a/kept.png",
        ]
    );
}

#[tokio::test]
async fn the_place_of_two_sources_goes_to_the_other_when_one_is_deleted() {
    let folder = Folder::new();
    let both = [LISTED, LOOKED_AT];
    folder.put("photos", "a/n.png", &picture(1));
    folder.compare(both, &[]).await;
    folder.put(
        "photos",
        "a/n.jpg",
        &plain(60, 40, colour(2), ImageFormat::Jpeg),
    );
    let ended = folder.compare(both, &["--prune"]).await;
    // The other rendition is its own, and is made.
    assert_eq!(ended.names("conflict"), ["a/n.jpg"]);
    assert_eq!((ended.count("made"), ended.count("pruned")), (1, 0));
    folder.remove("photos", "a/n.png");
    let ended = folder.compare(both, &["--prune"]).await;
    assert_eq!(ended.count("pruned"), 2);
    let ended = folder.compare(both, &["--prune"]).await;
    assert_eq!((ended.count("missing"), ended.count("made")), (1, 1));
    assert_eq!(folder.outputs(), ["a/small/n.png", "t/a/n.jpg"]);
}
