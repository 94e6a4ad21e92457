// How search results are ranked; Sphinx reads "Scorer". Differs from Sphinx's defaults in "score" alone:
// pages that help with a task come first, names of the reference later, the changelog last.
var Scorer = {
  score: ([docname, _title, _anchor, _descr, score]) =>
    score - (docname === "changelog" ? 100 : docname === "reference" ? 12 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
