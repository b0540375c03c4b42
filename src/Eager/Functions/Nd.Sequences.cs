namespace Fusion;

public static partial class Nd
{
    /// <summary>Replaces the elements at and after each sequence's length by a value.</summary>
    /// <param name="x">(time, batch, …) with axis 0, (batch, time, …) with axis 1.</param>
    /// <param name="lengths">The length of each sequence, (batch,).</param>
    /// <param name="value">What stands after the end.</param>
    /// <param name="axis">The axis of time, 0 or 1.</param>
    /// <exception cref="ShapeException">The lengths are not (batch,), or x has less than two axes.</exception>
    public static NDArray SequenceMask(this NDArray x, NDArray lengths, double value = 0, int axis = 0)
    {
        (NDArray steps, NDArray ends) = StepsAndEnds("SequenceMask", x, lengths, axis);
        return Where(Reshape(steps < ends, Shape.Create([x.Shape[0], x.Shape[1], .. Enumerable.Repeat(1, x.Rank - 2)])), x, value);
    }

    /// <summary>The last element of each sequence, (batch, …).</summary>
    /// <param name="x">(time, batch, …) with axis 0, (batch, time, …) with axis 1.</param>
    /// <param name="lengths">The length of each sequence, (batch,), 1 or more.</param>
    /// <param name="axis">The axis of time, 0 or 1.</param>
    /// <exception cref="ShapeException">The lengths are not (batch,), or x has less than two axes.</exception>
    public static NDArray SequenceLast(this NDArray x, NDArray lengths, int axis = 0)
    {
        StepsAndEnds("SequenceLast", x, lengths, axis);
        return Squeeze(TakeSteps(x, Reshape(lengths - 1, 1, -1), axis), axis);
    }

    /// <summary>Each sequence in reverse, without what lies after its length, which stays.</summary>
    /// <param name="x">(time, batch, …) with axis 0, (batch, time, …) with axis 1.</param>
    /// <param name="lengths">The length of each sequence, (batch,).</param>
    /// <param name="axis">The axis of time, 0 or 1.</param>
    /// <exception cref="ShapeException">The lengths are not (batch,), or x has less than two axes.</exception>
    public static NDArray SequenceReverse(this NDArray x, NDArray lengths, int axis = 0)
    {
        StepsAndEnds("SequenceReverse", x, lengths, axis);
        NDArray steps = Reshape(Arange(0, x.Shape[axis], 1, lengths.DType), -1, 1), ends = Reshape(lengths, 1, -1);
        return TakeSteps(x, Where(steps < ends, ends - 1 - steps, steps), axis);
    }

    /// <summary>(σx)²/2 where |x| &lt; 1/σ², |x| − ½/σ² elsewhere.</summary>
    /// <remarks>Girshick, "Fast R-CNN", ICCV 2015, eq. 3, with MXNet's scalar σ.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">σ is not positive.</exception>
    public static NDArray SmoothL1(this NDArray x, double sigma = 1)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sigma);
        double edge = 1 / (sigma * sigma);
        NDArray size = Abs(x);
        return Where(size < edge, Square(x) * (0.5 / edge), size - 0.5 * edge);
    }

    /// <summary>Step numbers and lengths, shaped to be compared over the first two axes of x.</summary>
    private static (NDArray Steps, NDArray Ends) StepsAndEnds(string op, NDArray x, NDArray lengths, int axis)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(lengths);
        Indexing.CheckIndexType(op, lengths.DType);
        if (axis is not (0 or 1)) throw new ArgumentOutOfRangeException(nameof(axis), axis, $"{op}: the axis of time must be 0 or 1.");
        if (x.Rank < 2 || lengths.Rank != 1 || lengths.Shape[0] != x.Shape[1 - axis])
            throw new ShapeException($"{op}: {x.Shape} with time on axis {axis} needs one length per sequence, (batch,), the lengths are {lengths.Shape}.");
        NDArray steps = Arange(0, x.Shape[axis], 1, lengths.DType);
        return axis == 0 ? (Reshape(steps, -1, 1), Reshape(lengths, 1, -1)) : (Reshape(steps, 1, -1), Reshape(lengths, -1, 1));
    }

    /// <summary>x at one time per sequence and output step; the steps are (output time, batch).</summary>
    private static NDArray TakeSteps(NDArray x, NDArray steps, int axis)
    {
        // Time and batch become one axis, whose rows are taken.
        NDArray first = axis == 0 ? x : SwapAxes(x, 0, 1);
        int time = first.Shape[0], batch = first.Shape[1], count = steps.Shape[0];
        NDArray rows = Reshape(first, Shape.Create([time * batch, .. first.Shape.Dimensions[2..]]));
        NDArray index = steps * batch + Arange(0, batch, 1, steps.DType);
        NDArray taken = Reshape(Take(rows, Reshape(index, -1)), Shape.Create([count, batch, .. first.Shape.Dimensions[2..]]));
        return axis == 0 ? taken : SwapAxes(taken, 0, 1);
    }
}
