//! The text of `/metrics`, rendered at most once a second and shared by all scrapes that wait for it.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until},
};

use super::{Format, Metrics};

/// The shortest time between two renderings.
const PERIOD: Duration = Duration::from_secs(1);

/// Renders metrics.
#[derive(Debug, Default)]
pub struct Renderer {
    last: Mutex<Option<(Instant, Weak<Rendering>)>>,
}

/// The metrics at one time. 10,000 resources take 5 MB as text, and a tenth of that compressed.
#[derive(Debug)]
pub struct Rendering {
    families: String,
    resources: Vec<Vec<u8>>,
}

impl Renderer {
    /// A rendering that began after this call.
    pub async fn render(&self, metrics: &Metrics) -> Arc<Rendering> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        if let Some((begun, rendering)) = &*last {
            if let Some(rendering) = rendering.upgrade().filter(|_| *begun > asked) {
                return rendering;
            }
            sleep_until(*begun + PERIOD).await;
        }
        let begun = Instant::now();
        let rendering = Arc::new(Rendering::of(metrics).await);
        *last = Some((begun, Arc::downgrade(&rendering)));
        // Scrapes that wait take the rendering within that time.
        let kept = Arc::clone(&rendering);
        tokio::spawn(async move {
            sleep(PERIOD).await;
            drop(kept);
        });
        rendering
    }
}

impl Rendering {
    /// Yields between two pages, so that other tasks run.
    async fn of(metrics: &Metrics) -> Self {
        let families = metrics.families();
        let mut resources = Vec::new();
        for page in metrics.resources.pages() {
            resources.push(lz4_flex::compress_prepend_size(page.as_bytes()));
            tokio::task::yield_now().await;
        }
        Self {
            families,
            resources,
        }
    }

    /// The whole text, in pieces that are made one by one.
    pub fn pages(self: &Arc<Self>, format: Format) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        let rendering = Arc::clone(self);
        let families = format.of(rendering.families.clone()).into_bytes();
        let resources = (0..rendering.resources.len()).map(move |at| {
            let packed = rendering.resources.get(at).map(Vec::as_slice);
            // Data that was compressed here can be decompressed.
            lz4_flex::decompress_size_prepended(packed.unwrap_or_default()).unwrap_or_default()
        });
        let end = format.end().as_bytes().to_vec();
        let pages = [families].into_iter().chain(resources).chain([end]);
        pages.filter(|page| !page.is_empty())
    }
}
