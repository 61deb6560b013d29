package io.trapscope.analyzer.table;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The words of a TEXT column and their indexes, for formats that store a dictionary. */
public final class Words {
  private final List<String> list;
  private final Map<String, Integer> indexes = new HashMap<>();
  private final boolean known;
  private int used;

  /**
   * No words yet, or those that the column knows.
   *
   * @param known {@link Column#words}
   */
  public Words(List<String> known) {
    this.known = !known.isEmpty();
    this.list = new ArrayList<>(known);
  }

  /** Notes that cells hold indexes up to this one; -1 where none holds any. */
  public void use(int index) {
    if (index >= list.size()) {
      throw new IndexOutOfBoundsException("word " + index + " of " + list.size());
    }
    used = Math.max(used, index + 1);
  }

  /** The word's index, a new one where the column had not seen it. */
  public int indexOf(String word) {
    if (known) {
      throw new IllegalArgumentException("this column's cells are indexes of words");
    }
    Integer index = indexes.get(word);
    if (index == null) {
      index = list.size();
      list.add(word);
      indexes.put(word, index);
    }
    return index;
  }

  /** Every word up to the last one that {@link #use} was told of. */
  public List<String> used() {
    return list.subList(0, used);
  }

  /** The word with this index. */
  public String word(int index) {
    return list.get(index);
  }

  /** Words so far. */
  public int size() {
    return list.size();
  }
}
