using System.Runtime.CompilerServices;

namespace Fusion;

public sealed partial class NDArray
{
    /// <summary>
    /// The elements at an index: positions and ranges for the first axes, as in <c>x[0]</c>, <c>x[-1]</c>, <c>x[^1]</c>, <c>x[1..3, .., 0]</c>; a
    /// position drops its axis, <see cref="AxisIndex.Ellipsis"/> stands for the axes in between, <see cref="AxisIndex.NewAxis"/> adds one.
    /// Reading gives an array of its own value, without a copy, differentiable. Assigning writes in place: the value is broadcast and converted.
    /// </summary>
    /// <exception cref="IndexOutOfRangeException">A position is outside its axis, or there are more indices than axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A range is outside its axis.</exception>
    /// <exception cref="ArgumentException">The index has two ellipses.</exception>
    /// <exception cref="ShapeException">The assigned array does not broadcast to the indexed part.</exception>
    [IndexerName("Elements")]
    public NDArray this[params ReadOnlySpan<AxisIndex> index]
    {
        get
        {
            IndexPlan plan = new(index, _shape);
            // Also when everything is selected the result is an array of its own: x[..] may be written without changing x.
            NDArray part = plan.SelectsAll && !plan.KeepsAxes ? this : OpTable.Slice.Apply(this, plan.Slice);
            return plan.KeepsAxes ? part : OpTable.Reshape.Apply(part, new ShapeAttributes(plan.Result));
        }
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            IndexPlan plan = new(index, _shape);
            Shape target = plan.Result;
            Shape given = value.Shape;
            int ones = 0;
            while (given.Rank - ones > target.Rank && given.Dimensions[ones] == 1) ones++;
            if (ones > 0) value = Nd.Reshape(value, Shape.Create(given.Dimensions[ones..]));
            if (!Broadcasting.FitsInto(value.Shape, target))
                throw new ShapeException($"Elements, x[…] = value: the value {given} does not broadcast to the indexed part {target} of the array {_shape}.");
            if (ExecutionState.Current.Recording && value.Source is not null)
                throw Errors.GradientLostInWrite("Elements", value);
            if (ExecutionState.Current.Tracer is not null)
            {
                TraceWrite("Elements", plan.SelectsAll ? Nd.Reshape(Nd.BroadcastTo(Elements.To(value, _dtype), target), _shape) : plan.Replace(this, Elements.To(value, _dtype)));
                return;
            }

            BeginWriteFrom(ref value);
            if (target.Size > 0) Movement.CopyTo(value, plan.Window(this));
            GC.KeepAlive(this);
        }
    }

    /// <summary><c>foreach</c> visits <c>x[0]</c>, <c>x[1]</c>, …: the parts along the first axis, differentiable; <c>[.. x]</c> is an array of them.</summary>
    /// <exception cref="ShapeException">The array is a scalar.</exception>
    public IEnumerator<NDArray> GetEnumerator()
    {
        return Rank > 0 ? Parts() : throw new ShapeException("Elements: a scalar has no axis to visit. Reshape or ExpandDims first.");

        IEnumerator<NDArray> Parts()
        {
            for (int i = 0; i < Shape[0]; i++) yield return this[i];
        }
    }

    /// <summary>Sets every element of the indexed part to a value, converted to the element type.</summary>
    /// <exception cref="IndexOutOfRangeException">A position is outside its axis, or there are more indices than axes.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A range is outside its axis.</exception>
    public void SetValue(double value, params ReadOnlySpan<AxisIndex> index) => this[index] = Nd.Scalar(value, _dtype);

    // The value is read before the target is written: converted, and held apart when it is this very array.
    private void BeginWriteFrom(ref NDArray value)
    {
        value.ThrowIfUnusable("Elements");
        if (value.DType != _dtype) value = Movement.Cast(value, _dtype);
        else if (ReferenceEquals(value, this)) value = View(_shape, _offset, _strides);
        BeginWrite("Elements", keepValue: true);
    }
}
