namespace Fusion;

// Sequences of different lengths in one array: (time, batch, …), as in MXNet.
public static partial class Nd
{
    /// <summary>A value in place of the elements behind the end of each sequence.</summary>
    /// <param name="x">(time, batch, …).</param>
    /// <param name="lengths">The lengths, (batch).</param>
    /// <param name="value">What stands behind the end.</param>
    /// <exception cref="ShapeException">The lengths are not (batch,).</exception>
    public static NDArray SequenceMask(this NDArray x, NDArray lengths, double value = 0)
    {
        NDArray inside = Times(x, lengths, "SequenceMask") < Reshape(lengths, 1, -1);
        return Where(Reshape(inside, [.. inside.Shape.Dimensions, .. Ones1(x.Rank - 2)]), x, value);
    }

    /// <summary>The last element of each sequence, (batch, …).</summary>
    /// <exception cref="ShapeException">The lengths are not (batch,).</exception>
    /// <exception cref="ArgumentOutOfRangeException">A length is not between 1 and the size of the time axis.</exception>
    public static NDArray SequenceLast(this NDArray x, NDArray lengths)
    {
        Times(x, lengths, "SequenceLast");
        NDArray last = InRange("SequenceLast", nameof(lengths), "length", lengths, 1, x.Shape[0]) - 1;
        return Gather(x, Stack([last, Arange(0, x.Shape[1], 1, DType.Int64, x.Device)]));
    }

    /// <summary>Each sequence from its end to its start; what stands behind the end stays.</summary>
    /// <exception cref="ShapeException">The lengths are not (batch,).</exception>
    /// <exception cref="ArgumentOutOfRangeException">A length is not between 0 and the size of the time axis.</exception>
    public static NDArray SequenceReverse(this NDArray x, NDArray lengths)
    {
        NDArray time = Times(x, lengths, "SequenceReverse"), length = Reshape(InRange("SequenceReverse", nameof(lengths), "length", lengths, 0, x.Shape[0]), 1, -1);
        NDArray from = Where(time < length, length - 1 - time, BroadcastTo(time, (x.Shape[0], x.Shape[1])));
        NDArray index = Reshape(from, [.. from.Shape.Dimensions, .. Ones1(x.Rank - 2)]);
        return TakeAlongAxis(x, BroadcastTo(index, x.Shape), 0);
    }

    /// <summary>
    /// Connectionist temporal classification: −ln of the probability of the labels under all alignments, one value per sample. Sums over alignments are carried
    /// out in logarithms by elementary operators, so gradients of every order follow. Where no alignment spells the labels (they are longer than the times, two
    /// equal neighbours counting one more, or logits are −∞) the loss is infinite, as in PyTorch, and its gradient 0: <c>Nd.Where(loss.IsFinite(), loss, 0)</c> leaves such samples out.
    /// </summary>
    /// <remarks>Graves et al., "Connectionist Temporal Classification", ICML 2006, section 4.1.</remarks>
    /// <param name="logits">(time, batch, classes), before the softmax.</param>
    /// <param name="labels">Class indices (batch, length), Int32 or Int64; what stands behind a label's end is ignored.</param>
    /// <param name="logitLengths">The times that count, (batch); all when null.</param>
    /// <param name="labelLengths">The lengths of the labels, (batch); when null, a label ends before its first negative number.</param>
    /// <param name="blank">The class of the blank.</param>
    /// <exception cref="ShapeException">The shapes do not fit together.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A label is no class, a length is none of the axis, or there is no time that counts.</exception>
    public static NDArray CtcLoss(this NDArray logits, NDArray labels, NDArray? logitLengths = null, NDArray? labelLengths = null, int blank = 0) =>
        CtcLossFor(new CtcNames("CtcLoss", nameof(labels), nameof(logitLengths), nameof(labelLengths)), logits, labels, logitLengths, labelLengths, blank);

    /// <summary>A function and its parameters, as messages name them.</summary>
    internal readonly record struct CtcNames(string Function, string Labels, string LogitLengths, string LabelLengths);

    /// <summary>The same for a function that messages name.</summary>
    internal static NDArray CtcLossFor(in CtcNames names, NDArray logits, NDArray labels, NDArray? logitLengths, NDArray? labelLengths, int blank)
    {
        if (Checked(logits).DType.IsHalf) return CtcLossFor(names, Elements.Wide(logits), labels, logitLengths, labelLengths, blank).AsType(logits.DType);
        string op = names.Function;
        NDArray real = RealInput(logits);
        Indexing.CheckIndexType(op, Checked(labels).DType);
        if (real.Rank != 3 || labels.Rank != 2 || labels.Shape[0] != real.Shape[1] || real.Shape[0] == 0)
            throw new ShapeException($"{op}: logits {logits.Shape} and labels {labels.Shape}; they are (time, batch, classes) and (batch, length).");
        (int time, int batch, int classes, int length) = (real.Shape[0], real.Shape[1], real.Shape[2], labels.Shape[1]);
        if ((logitLengths ?? labelLengths) is { } first && (first.Size != batch || (labelLengths ?? first).Size != batch))
            throw new ShapeException($"{op}: lengths {first.Shape} and {(labelLengths ?? first).Shape} for a batch of {batch}; they are (batch,).");
        if ((uint)blank >= (uint)classes) throw new ArgumentOutOfRangeException(nameof(blank), blank, $"{op}: the blank is one of the {classes} classes.");
        // What stands behind an end may be anything: its gradient is 0.
        if (logitLengths is not null)
        {
            logitLengths = InRange(op, names.LogitLengths, "length", logitLengths, 1, time);
            real = Where(Reshape(logitLengths, 1, -1, 1) > Reshape(Arange(0, time, 1, DType.Int64, real.Device), -1, 1, 1), real, 0);
        }

        labelLengths = labelLengths is null
            ? Sum(Equal(CumSum((labels < 0).AsType(DType.Int64), 1), 0).AsType(DType.Int64), 1)
            : InRange(op, names.LabelLengths, "length", labelLengths, 0, length);
        labels = Where(Arange(0, length, 1, DType.Int64, labels.Device) < Reshape(labelLengths, -1, 1), labels, blank);
        labels = InRange(op, names.Labels, "class", labels, 0, classes - 1);
        // A blank before, between and behind the labels.
        int states = 2 * length + 1;
        NDArray blanks = FullLike(labels, blank);
        NDArray extended = Concat([Reshape(Stack([blanks, labels], 2), batch, 2 * length), Full((batch, 1), blank, labels.DType, labels.Device)], 1);
        NDArray two = Concat([FullLike(Slice(extended, 1, 0, Math.Min(2, states)), blank), Slice(extended, 1, 0, Math.Max(0, states - 2))], 1);
        NDArray skips = LogicalAnd(NotEqual(extended, blank), NotEqual(extended, two));
        // Of logits that are −∞, too, ln 0 is finite.
        NDArray scores = Maximum(TakeAlongAxis(LogSoftmax(real), BroadcastTo(ExpandDims(extended, 0), (time, batch, states)), -1), LogZero);
        NDArray state = Arange(0, states, 1, DType.Int32, real.Device), floor = Full((batch, states), LogZero, real.DType, real.Device);
        NDArray alpha = Where(state < 2, scores[0], floor);
        for (int t = 1; t < time; t++)
        {
            NDArray next = LogAddExp(alpha, Shifted(alpha, 1));
            if (states > 2) next = LogAddExp(next, Where(skips, Shifted(alpha, 2), LogZero));
            next += scores[t];
            alpha = logitLengths is null ? next : Where(Reshape(logitLengths, -1, 1) > t, next, alpha);
        }

        NDArray last = Reshape(labelLengths, batch) * 2;
        NDArray ending = Pick(alpha, last);
        if (length > 0) ending = LogAddExp(ending, Where(last > 0, Pick(alpha, Maximum(last - 1, 0)), LogZero));
        return Where(ending > ProbablyZero, -ending, double.PositiveInfinity);
    }

    // ln 0 for sums of logarithms: finite, so that no gradient is ∞ − ∞.
    private const double LogZero = -1e30;

    // Below it a sum has no term but ln 0, and scores that do not matter beside it.
    private const double ProbablyZero = -1e29;

    private static NDArray Shifted(NDArray alpha, int by)
    {
        (int batch, int states) = (alpha.Shape[0], alpha.Shape[1]);
        return by >= states ? Full(alpha.Shape, LogZero, alpha.DType, alpha.Device) : Concat([Full((batch, by), LogZero, alpha.DType, alpha.Device), Slice(alpha, 1, 0, states - by)], 1);
    }

    private static NDArray InRange(string op, string parameter, string what, NDArray numbers, long least, long most) =>
        OpTable.InRange.Apply(numbers.AsType(DType.Int64), new RangeAttributes(op, parameter, what, least, most));

    // (time, 1), checked against the lengths.
    private static NDArray Times(NDArray x, NDArray lengths, string op)
    {
        int rank = Checked(lengths).Rank;
        if (Checked(x).Rank < 2 || rank != 1 || lengths.Shape[0] != x.Shape[1])
            throw new ShapeException($"{op}: {x.Shape} and lengths {lengths.Shape}; they are (time, batch, …) and (batch,).");
        Indexing.CheckIndexType(op, lengths.DType);
        return Reshape(Arange(0, x.Shape[0], 1, DType.Int64, x.Device), -1, 1);
    }
}
