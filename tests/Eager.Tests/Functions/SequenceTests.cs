using static Fusion.Tests.FunctionChecks;

namespace Fusion.Tests;

public sealed class SequenceTests
{
    private static readonly NDArray s_lengths = Nd.Array([2, 3, 1]);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void SequencesEndAtTheirLengths(int rank)
    {
        Shape shape = rank == 2 ? (3, 3) : (3, 3, 2);
        NDArray x = Random(shape);
        int[] lengths = s_lengths.ToArray<int>();
        int inner = rank == 2 ? 1 : 2;
        double[] values = x.Values(), masked = new double[values.Length], reversed = new double[values.Length], last = new double[3 * inner];
        for (int t = 0; t < 3; t++)
        {
            for (int b = 0; b < 3; b++)
            {
                for (int k = 0; k < inner; k++)
                {
                    int at = (t * 3 + b) * inner + k;
                    masked[at] = t < lengths[b] ? values[at] : -7;
                    reversed[at] = t < lengths[b] ? values[((lengths[b] - 1 - t) * 3 + b) * inner + k] : values[at];
                    if (t == lengths[b] - 1) last[b * inner + k] = values[at];
                }
            }
        }

        Close(shape, masked, Nd.SequenceMask(x, s_lengths, -7));
        Close(shape, reversed, Nd.SequenceReverse(x, s_lengths));
        Close(last, Nd.SequenceLast(x, s_lengths));
        Gradients(i => Nd.SequenceMask(i[0], s_lengths) * Nd.SequenceReverse(i[0], s_lengths) + Nd.SequenceLast(i[0], s_lengths), x);
    }

    [Fact]
    public void LengthsThatDoNotFitAreRefused()
    {
        Assert.Throws<ShapeException>(() => Nd.SequenceMask(Nd.Ones((3, 2)), s_lengths));
        Assert.Throws<DTypeException>(() => Nd.SequenceMask(Nd.Ones((3, 3)), Nd.Ones(3)));
    }

    [Theory]
    [InlineData("SequenceLast", 4)]
    [InlineData("SequenceLast", 0)]
    [InlineData("SequenceLast", -1)]
    [InlineData("SequenceReverse", 4)]
    [InlineData("SequenceReverse", -1)]
    public void ALengthOutsideTheTimeAxisIsNamed(string function, int length)
    {
        NDArray lengths = Nd.Array([1, 3, length]), x = Nd.Ones((3, 3));
        ArgumentOutOfRangeException error = Expect.Throws<ArgumentOutOfRangeException>(
            () => _ = function == "SequenceLast" ? Nd.SequenceLast(x, lengths) : Nd.SequenceReverse(x, lengths), $"{function}: length {length} at position 2", "to 3");
        Assert.Equal("lengths", error.ParamName);
    }

    [Theory]
    [InlineData(4, new[] { 1, 2 })]
    [InlineData(4, new[] { 1, 1 })]
    [InlineData(3, new[] { 2 })]
    [InlineData(2, new int[0])]
    [InlineData(1, new[] { 1 })]
    public void CtcSumsOverAllAlignments(int time, int[] label)
    {
        NDArray logits = Random((time, 1, 3), 4);
        NDArray loss = Nd.CtcLoss(logits, Nd.Array(label, (1, label.Length)));
        Close([-Math.Log(Probability(logits, label))], loss, 1e-10);
        GradientCheckReport report = Autograd.CheckGradients(x => Nd.CtcLoss(x[0], Nd.Array(label, (1, label.Length))), [logits], order: 2);
        Assert.True(report.Passed, report.ToString());
    }

    [Fact]
    public void CtcTakesLengthsOfEachSample()
    {
        NDArray logits = Random((5, 3, 4), 6), labels = Nd.Array([1, 2, 3, 3, 9, 9, 2, 2, 9], (3, 3));
        NDArray all = Nd.CtcLoss(logits, labels, Nd.Array([5, 2, 4]), Nd.Array([3, 1, 2]));
        double[] expected =
        [
            -Math.Log(Probability(logits[.., ..1], [1, 2, 3])),
            -Math.Log(Probability(logits[..2, 1..2], [3])),
            -Math.Log(Probability(logits[..4, 2..], [2, 2])),
        ];
        Close(expected, all, 1e-10);
        NDArray blankLast = Nd.Concat([logits[.., .., 1..], logits[.., .., ..1]], 2);
        Close(all, Nd.CtcLoss(blankLast, Nd.Maximum(labels - 1, 0) % 3, Nd.Array([5, 2, 4]), Nd.Array([3, 1, 2]), blank: 3), 1e-10);
        Assert.Throws<ShapeException>(() => Nd.CtcLoss(logits, labels[..2]));
        Assert.Throws<ShapeException>(() => Nd.CtcLoss(logits, labels, Nd.Array([5, 2])));
        Assert.Throws<ShapeException>(() => Nd.CtcLoss(logits, labels, Nd.Array([5, 2, 4]), Nd.Array([3, 1])));
        Assert.Throws<ArgumentOutOfRangeException>(() => Nd.CtcLoss(logits, labels, blank: 4));
    }

    /// <summary>As in PyTorch the loss is infinite; the gradient is 0, as it is there with zero_infinity, and the other samples know nothing of it.</summary>
    [Theory]
    [InlineData(DType.Float32)]
    [InlineData(DType.Float64)]
    [InlineData(DType.Float16)]
    public void CtcOfLabelsThatNoAlignmentSpellsIsInfiniteWithoutAGradient(DType dtype)
    {
        NDArray logits = Random((3, 3, 4), 8).AsType(dtype), labels = Nd.Array([1, 2, 3, 1, 1, 1, 2, 2, 0], (3, 3)), lengths = Nd.Array([3, 3, 2]);
        logits.AttachGrad();
        NDArray loss;
        using (Autograd.Record()) loss = Nd.CtcLoss(logits, labels, null, lengths);
        loss.Backward();
        Assert.Equal([false, true, false], loss.IsInfinity().ToArray<bool>());
        NDArray possible = Nd.Array([0, 2]), alone = logits.Take(possible, 1).Copy();
        alone.AttachGrad();
        NDArray expected;
        using (Autograd.Record()) expected = Nd.CtcLoss(alone, labels.Take(possible), null, lengths.Take(possible));
        expected.Backward();
        Assert.Equal(Expect.Doubles(expected), Expect.Doubles(loss.Take(possible)));
        Assert.Equal(Expect.Doubles(alone.Grad!), Expect.Doubles(logits.Grad!.Take(possible, 1)));
        Assert.All(Expect.Doubles(logits.Grad![.., 1]), static g => Assert.Equal(0, g));
        NDArray mean;
        using (Autograd.Record())
        {
            loss = Nd.CtcLoss(logits, labels, null, lengths);
            mean = Nd.Where(loss.IsFinite(), loss, 0).Mean();
        }

        mean.Backward();
        Assert.True(double.IsFinite(Expect.Doubles(mean)[0]) && Expect.Doubles(logits.Grad!).All(double.IsFinite));
    }

    /// <summary>MXNet's own case (test_ctc_loss): labels that are filled up with −1.</summary>
    [Fact]
    public void CtcEndsALabelBeforeItsFirstNegativeNumber()
    {
        NDArray labels = Nd.Array([1, 0, -1, -1, 2, 1, 1, -1], (2, 4));
        double[] expected = [18.82820702, 16.50581741];
        Close(expected, Nd.CtcLoss(Nd.Ones((20, 2, 4), DType.Float64), labels, blank: 3), 1e-6);
        Close(expected, Nd.CtcLoss(Nd.Ones((25, 2, 4), DType.Float64), labels, Nd.Array([20, 20]), blank: 3), 1e-6);
    }

    public static TheoryData<string, string, int[], int[], int[]> BadCtc => new()
    {
        { "labels", "class 4 at position 1", [1, 4], [3], [2] },
        { "labels", "class -1 at position 0", [-1, 1], [3], [2] },
        { "logitLengths", "length 4 at position 0", [1, 2], [4], [2] },
        { "logitLengths", "length 0 at position 0", [1, 2], [0], [2] },
        { "labelLengths", "length 3 at position 0", [1, 2], [3], [3] },
        { "labelLengths", "length -1 at position 0", [1, 2], [3], [-1] },
    };

    [Theory]
    [MemberData(nameof(BadCtc))]
    public void CtcNamesTheNumberThatIsNone(string parameter, string message, int[] labels, int[] logitLengths, int[] labelLengths)
    {
        NDArray logits = Random((3, 1, 4)), label = Nd.Array(labels, (1, 2)), times = Nd.Array(logitLengths), lengths = Nd.Array(labelLengths);
        Assert.Equal(parameter, Expect.Throws<ArgumentOutOfRangeException>(() => Nd.CtcLoss(logits, label, times, lengths), "CtcLoss: " + message).ParamName);
    }

    /// <summary>MXNet's own case (test_ctc_loss_grad): two more time steps than a sample has are NaN, and their gradient is 0.</summary>
    [Fact]
    public void CtcLeavesOutWhatStandsBehindAnEnd()
    {
        NDArray inside = Random((5, 2, 4), 3), labels = Nd.Array([1, 2, 3, 1], (2, 2)), lengths = Nd.Array([5, 5]);
        NDArray x = Leaf.Attached(Nd.Concat([inside, Nd.Full((2, 2, 4), double.NaN, DType.Float64)])), y = Leaf.Attached(inside);
        NDArray loss, expected;
        using (Autograd.Record()) (loss, expected) = (Nd.CtcLoss(x, labels, lengths), Nd.CtcLoss(y, labels));
        Autograd.Backward([loss, expected]);
        Close(expected, loss, 1e-12);
        Close(Nd.Concat([y.Grad!, Nd.Zeros((2, 2, 4), DType.Float64)]), x.Grad!, 1e-12);
    }

    [Fact]
    public void AnImpossibleLabelHasNoProbability() => Assert.True(Nd.CtcLoss(Random((2, 1, 3)), Nd.Array([1, 1], (1, 2))).Item<double>() > 1e20);

    /// <summary>At one time neither the blank nor the label can be: no alignment is left of the second sample.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void ForbiddenClassesMakeALossInfiniteAndItsGradientZero(int time)
    {
        NDArray logits = Random((4, 2, 3)).Copy();
        logits[time, 1, ..2] = Nd.Full(2, double.NegativeInfinity, logits.DType);
        NDArray labels = Nd.Array([1, 1], (2, 1)), alone = logits[.., ..1].Copy();
        logits.AttachGrad();
        alone.AttachGrad();
        NDArray loss, expected;
        using (Autograd.Record()) (loss, expected) = (Nd.CtcLoss(logits, labels), Nd.CtcLoss(alone, labels[..1]));
        loss.Backward();
        expected.Backward();
        Assert.Equal([expected.Item<double>(), double.PositiveInfinity], loss.ToArray<double>());
        Assert.True(Nd.ArrayEqual(alone.Grad!, logits.Grad![.., ..1]));
        Assert.All(logits.Grad![.., 1..].ToArray<double>(), static g => Assert.Equal(0, g));
    }

    // Over every path of classes: repeats are joined, blanks dropped.
    private static double Probability(NDArray logits, int[] label)
    {
        (int time, int classes) = (logits.Shape[0], logits.Shape[2]);
        double[] p = Nd.Softmax(logits).Values();
        double sum = 0;
        for (int path = 0; path < (int)Math.Pow(classes, time); path++)
        {
            List<int> joined = [];
            double product = 1;
            for (int t = 0, rest = path, previous = 0; t < time; t++, rest /= classes)
            {
                int c = rest % classes;
                product *= p[t * classes + c];
                if (c != previous && c != 0) joined.Add(c);
                previous = c;
            }

            if (joined.SequenceEqual(label)) sum += product;
        }

        return sum;
    }
}
