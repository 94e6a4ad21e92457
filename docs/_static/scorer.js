// How search results are ranked. Sphinx puts this before its own script, which reads "Scorer".
// Only "score" differs from Sphinx's defaults: pages that help with a task come first, lists of pages
// come after the pages, and what tells how the library came about comes last.
var Scorer = {
  score: ([docname, _title, _anchor, _descr, score]) => {
    if (docname === "changelog" || docname.startsWith("decisions/")) return score - 100;
    if (docname.endsWith("index")) return score - 2;
    if (docname.startsWith("how-to/") || docname.startsWith("tutorial/")) return score + 3;
    return score;
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
