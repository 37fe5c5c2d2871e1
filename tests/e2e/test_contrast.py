"""Words on the primary buttons and links in small print can be read in both themes: 4.5 to 1 (WCAG AA)."""

import pytest

pytestmark = pytest.mark.e2e

RATIO = """node => {
  const numbers = text => text.match(/[\\d.]+/g).map(Number);
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const mix = (top, under, share) => top.map((v, i) => v * share + under[i] * (1 - share));
  let opacity = 1, ground = null;
  for (let n = node; n; n = n.parentElement) {
    const style = getComputedStyle(n), colour = numbers(style.backgroundColor);
    if (!ground && (colour[3] ?? 1) === 1) ground = colour.slice(0, 3);
    opacity *= Number(style.opacity);
  }
  const ink = numbers(getComputedStyle(node).color);
  const [a, b] = [light(mix(ink.slice(0, 3), ground, opacity * (ink[3] ?? 1))), light(ground)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}"""
PRIMARY = '[data-testid="stMain"] [data-testid="stBaseButton-primary"]'


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["replaced_token_detection", "scaling_bench", "multimodal"])
def test_words_on_a_primary_button_can_be_read(server, visit, scheme, path):
    seen = visit(server, scheme=scheme).open(f"/{path}")
    button = seen.page.locator(PRIMARY).first
    button.wait_for()
    words = button.locator(":not(:has(*))")  # icon and words, whatever they stand in
    ratios = [node.evaluate(RATIO) for node in words.all() if node.inner_text().strip()]
    assert ratios
    assert min(ratios) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_links_under_a_card_can_be_read(server, visit, scheme):
    seen = visit(server, scheme=scheme).open("/models")
    links = seen.page.get_by_test_id("stMain").get_by_role("link").all()
    assert len(links) >= 2
    assert min(link.evaluate(RATIO) for link in links if link.inner_text().strip()) >= 4.5
